# Semantic segmentation of one's own photographs and masks: the Cityscapes network on COCO's folder layout.
_base_ = [
    '_base_/models/fcn_w18.py',
    '_base_/datasets/coco_masks.py',
    'mmseg::_base_/schedules/schedule_20k.py',
    'mmseg::_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=len(_base_.metainfo.classes)))
