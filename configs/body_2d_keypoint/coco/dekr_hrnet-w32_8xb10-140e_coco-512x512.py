# Published: AP 0.686 on COCO val2017 (mmpose).
_base_ = [
    '../../_base_/models/dekr_w32.py',
    '../../_base_/codecs/spr_512x512.py',
    '../../_base_/datasets/coco_bottomup.py',
    '../../_base_/schedules/dekr_140e.py',
]

model = dict(head=dict(decoder=_base_.codec))
train_dataloader = dict(
    batch_size=10,
    dataset=dict(pipeline=[_base_.load, _base_.jitter, _base_.flip, _base_.encode, _base_.mask, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[_base_.load, _base_.resize, _base_.pack_test]))
test_dataloader = val_dataloader
val_evaluator = _base_.scoring
test_evaluator = val_evaluator
