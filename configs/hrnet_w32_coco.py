# Published: AP 0.749 on COCO val2017 (mmpose, td-hm_hrnet-w32_8xb64-210e_coco-256x192).
_base_ = [
    '_base_/models/topdown_heatmap.py',
    '_base_/datasets/coco_topdown_256x192.py',
    '_base_/schedules/coco_210e.py',
]
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth'

model = dict(
    backbone=dict(
        arch='w32',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    head=dict(in_channels=32, decoder=_base_.codec))
