# Published: total AP 77.4 on PoseTrack18's validation set (mmpose).
_base_ = [
    '../../_base_/models/topdown_w48.py',
    '../../_base_/codecs/msra_256x192.py',
    '../../_base_/augmentations/body.py',
    '../../_base_/datasets/posetrack18_topdown.py',
    '../../_base_/schedules/posetrack18_20e.py',
    '../../_base_/weights/coco_topdown.py',
]
load_from = _base_.coco_weights.w48_256x192

model = dict(backbone=dict(init_cfg=_base_.model.backbone.init_cfg[:2]), head=dict(decoder=_base_.codec))
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
