# Published: AP 0.677 on COCO val2017 (mmpose 0.x, higherhrnet_w32_coco_512x512), 0.671 by the authors.
_base_ = [
    '../../_base_/models/bottomup_ae_higherhrnet.py',
    '../../_base_/datasets/coco_bottomup_higherhrnet_512x512.py',
    '../../_base_/schedules/coco_ae_300e.py',
]
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth'

model = dict(
    backbone=dict(
        arch='w32',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    head=dict(in_channels=32, decoder=dict(_base_.codec, heatmap_size=_base_.codec.input_size)))
