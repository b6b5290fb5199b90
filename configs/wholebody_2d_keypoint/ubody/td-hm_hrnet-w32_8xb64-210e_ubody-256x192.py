# Published: whole-body AP 0.549 on COCO-WholeBody val (mmpose).
_base_ = [
    '../../_base_/models/topdown_w32.py',
    '../../_base_/codecs/msra_256x192.py',
    '../../_base_/augmentations/body.py',
    '../../_base_/datasets/ubody_topdown.py',
    '../../_base_/schedules/coco_wholebody_210e.py',
]

model = dict(head=dict(out_channels=_base_.num_keypoints, decoder=_base_.codec))
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
