# Published: mIoU 78.80 on Cityscapes val (mmseg, fcn_hr18_4xb2-160k_cityscapes-512x1024), 4 x 2 images a step.
_base_ = [
    '_base_/models/fcn.py',
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]
imagenet = 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth'
channels = [18, 36, 72, 144]

model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(
        arch='w18',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    decode_head=dict(in_channels=channels, channels=sum(channels), num_classes=19))
