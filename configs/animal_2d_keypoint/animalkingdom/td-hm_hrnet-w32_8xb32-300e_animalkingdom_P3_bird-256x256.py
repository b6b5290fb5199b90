# Published: PCK@0.05 0.7671 on Animal Kingdom's birds (mmpose).
_base_ = ['td-hm_hrnet-w32_8xb32-300e_animalkingdom_P1-256x256.py']
part = 'ak_P3_bird'

train_dataloader = dict(dataset=dict(ann_file=f'annotations/{part}/train.json'))
val_dataloader = dict(dataset=dict(ann_file=f'annotations/{part}/test.json'))
test_dataloader = val_dataloader
