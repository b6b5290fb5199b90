# `make demo`: a small HRNet on generated people, from random weights.
_base_ = [
    '_base_/models/topdown_heatmap.py',
    '_base_/datasets/generated_pose.py',
    '_base_/schedules/quickstart_pose.py',
    '_base_/runtime/fast.py',
]

# The loss is a mean over mostly empty heatmaps; its weight keeps the gradients well above AdamW's epsilon.
model = dict(
    backbone=dict(arch='w18_small_v1', zero_init_residual=True),
    head=dict(in_channels=16, decoder=_base_.codec, loss=dict(loss_weight=1000)),
    test_cfg=dict(shift_heatmap=False))
