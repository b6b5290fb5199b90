# Published: AP 0.679 on CrowdPose's test set (mmpose).
_base_ = [
    '../../_base_/models/dekr_w48.py',
    '../../_base_/models/dekr_crowdpose_head.py',
    '../../_base_/codecs/spr_640x640.py',
    '../../_base_/datasets/crowdpose_bottomup.py',
    '../../_base_/schedules/dekr_crowdpose_300e.py',
]

model = dict(head=dict(**_base_.head, num_keypoints=_base_.num_keypoints, decoder=_base_.codec))
train_dataloader = dict(
    batch_size=5,
    dataset=dict(pipeline=[_base_.load, _base_.jitter, _base_.flip, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[_base_.load, _base_.resize, _base_.pack_test]))
test_dataloader = val_dataloader
val_evaluator = _base_.scoring
test_evaluator = val_evaluator
auto_scale_lr = dict(base_batch_size=40)
