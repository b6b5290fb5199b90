# Published: mIoU 80.65 on Cityscapes val (mmseg, fcn_hr48_4xb2-160k_cityscapes-512x1024), 4 x 2 images a step.
_base_ = [
    '_base_/models/fcn.py',
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]
imagenet = 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w48-d2186c55.pth'
channels = [48, 96, 192, 384]

model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(
        arch='w48',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    decode_head=dict(in_channels=channels, channels=sum(channels), num_classes=19))
