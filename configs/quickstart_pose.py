# `make demo`: a small HRNet on generated people, from random weights.
_base_ = [
    '_base_/models/topdown_heatmap.py',
    '_base_/datasets/generated_pose.py',
    '_base_/schedules/quickstart_pose.py',
]

model = dict(
    backbone=dict(arch='w18_small_v1'),
    head=dict(in_channels=16, decoder=_base_.codec),
    test_cfg=dict(shift_heatmap=False))
