# Published: AP 0.756 on COCO val2017 (mmpose, td-hm_hrnet-w48_8xb32-210e_coco-256x192), 8 x 32 persons a step.
_base_ = [
    '_base_/models/topdown_heatmap.py',
    '_base_/datasets/coco_topdown_256x192.py',
    '_base_/schedules/coco_210e.py',
]
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth'

model = dict(
    backbone=dict(
        arch='w48',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    head=dict(in_channels=48, decoder=_base_.codec))
train_dataloader = dict(batch_size=32)
