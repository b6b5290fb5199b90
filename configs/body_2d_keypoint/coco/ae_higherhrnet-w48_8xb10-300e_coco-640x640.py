# Published: AP 0.699 on COCO val2017 by the authors, with 10 images a GPU and this learning rate.
_base_ = [
    '../../_base_/models/higherhrnet_w48.py',
    '../../_base_/codecs/ae_higher_640x640.py',
    '../../_base_/datasets/coco_bottomup.py',
    '../../_base_/schedules/ae_300e.py',
]

optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=80)
model = dict(head=dict(decoder=dict(_base_.codec, heatmap_size=_base_.codec.input_size)))
train_dataloader = dict(
    batch_size=10,
    dataset=dict(pipeline=[_base_.load, _base_.jitter, _base_.flip, _base_.encode, _base_.mask, _base_.pack]))
val_dataloader = dict(num_workers=2, dataset=dict(pipeline=[_base_.load, _base_.resize, _base_.pack_test]))
test_dataloader = val_dataloader
val_evaluator = _base_.scoring
test_evaluator = val_evaluator
