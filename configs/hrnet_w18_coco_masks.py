# Semantic segmentation of one's own photographs and masks: the Cityscapes network on COCO's folder layout.
_base_ = [
    '_base_/models/fcn.py',
    '_base_/datasets/coco_masks.py',
    'mmseg::_base_/schedules/schedule_20k.py',
    'mmseg::_base_/default_runtime.py',
]
imagenet = 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth'
channels = [18, 36, 72, 144]

model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(
        arch='w18',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    decode_head=dict(in_channels=channels, channels=sum(channels), num_classes=len(_base_.metainfo.classes)))
