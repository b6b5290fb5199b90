# `make demo-seg`: a small HRNet on the masks of generated people, from random weights.
_base_ = [
    '_base_/models/fcn.py',
    '_base_/datasets/generated_masks.py',
    '_base_/schedules/quickstart_seg.py',
    '_base_/runtime/fast.py',
]
channels = [16, 32, 64, 128]

model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(arch='w18_small_v1', zero_init_residual=True),
    decode_head=dict(in_channels=channels, channels=sum(channels), num_classes=len(_base_.metainfo.classes)))
