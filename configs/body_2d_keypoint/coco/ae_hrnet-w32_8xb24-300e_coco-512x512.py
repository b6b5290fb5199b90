# Published: AP 0.656 on COCO val2017 (mmpose).
_base_ = [
    '../../_base_/models/ae_w32.py',
    '../../_base_/codecs/ae_512x512.py',
    '../../_base_/datasets/coco_bottomup.py',
    '../../_base_/schedules/ae_300e.py',
]

model = dict(head=dict(decoder=dict(_base_.codec, heatmap_size=_base_.codec.input_size)))
train_dataloader = dict(
    batch_size=24,
    dataset=dict(pipeline=[_base_.load, _base_.jitter, _base_.flip, _base_.encode, _base_.mask, _base_.pack]))
val_dataloader = dict(num_workers=2, dataset=dict(pipeline=[_base_.load, _base_.resize, _base_.pack_test]))
test_dataloader = val_dataloader
val_evaluator = _base_.scoring
test_evaluator = val_evaluator
