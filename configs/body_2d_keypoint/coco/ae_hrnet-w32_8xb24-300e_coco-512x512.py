# Published: AP 0.656 on COCO val2017 (mmpose, ae_hrnet-w32_8xb24-300e_coco-512x512).
_base_ = [
    '../../_base_/models/bottomup_ae_hrnet.py',
    '../../_base_/datasets/coco_bottomup_ae_512x512.py',
    '../../_base_/schedules/coco_ae_300e.py',
]
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth'

model = dict(
    backbone=dict(
        arch='w32',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    head=dict(in_channels=32, decoder=dict(_base_.codec, heatmap_size=_base_.codec.input_size)))
