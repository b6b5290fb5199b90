# Published: AP 0.772 on COCO val2017 (mmpose).
_base_ = [
    '../../_base_/models/topdown_w48.py',
    '../../_base_/codecs/dark_384x288.py',
    '../../_base_/augmentations/body.py',
    '../../_base_/datasets/coco_topdown.py',
    '../../_base_/schedules/coco_210e.py',
]

model = dict(head=dict(decoder=_base_.codec))
train_dataloader = dict(
    batch_size=32,
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
