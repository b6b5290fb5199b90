# Published: AUC 76.1 on DeepFashion's validation set (mmpose).
_base_ = ['td-hm_hrnet-w48_udp_8xb32-210e_deepfashion_full-256x192.py']
subset = 'lower'

model = dict(head=dict(out_channels=4))
train_dataloader = dict(dataset=dict(subset=subset, ann_file=f'annotations/fld_{subset}_train.json'))
val_dataloader = dict(dataset=dict(subset=subset, ann_file=f'annotations/fld_{subset}_val.json'))
test_dataloader = dict(dataset=dict(subset=subset, ann_file=f'annotations/fld_{subset}_test.json'))
