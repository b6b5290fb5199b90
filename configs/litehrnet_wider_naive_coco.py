# Published: AP 0.688 on COCO val2017 with ground-truth boxes (PP-TinyPose's weights of this network, no flip test).
_base_ = [
    '_base_/models/topdown_litehrnet_18.py',
    '_base_/codecs/msra_256x192.py',
    '_base_/augmentations/body.py',
    '_base_/datasets/coco_topdown.py',
    '_base_/schedules/coco_210e.py',
]

# Those weights are read out with DARK, which is what unbiased means here.
model = dict(
    backbone=dict(arch='litehrnet_wider_naive'),
    head=dict(decoder=dict(_base_.codec, unbiased=True)),
    test_cfg=dict(flip_test=False))
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
