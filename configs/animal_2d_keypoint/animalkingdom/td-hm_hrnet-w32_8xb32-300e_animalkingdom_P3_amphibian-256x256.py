# Published: PCK@0.05 0.5358 on Animal Kingdom's amphibians (mmpose).
_base_ = ['td-hm_hrnet-w32_8xb32-300e_animalkingdom_P1-256x256.py']
part = 'ak_P3_amphibian'

train_dataloader = dict(dataset=dict(ann_file=f'annotations/{part}/train.json'))
val_dataloader = dict(dataset=dict(ann_file=f'annotations/{part}/test.json'))
test_dataloader = val_dataloader
