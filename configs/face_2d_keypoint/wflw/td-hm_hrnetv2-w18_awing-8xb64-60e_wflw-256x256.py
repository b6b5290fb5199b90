# Published: NME 4.02 on WFLW's test set (mmpose).
_base_ = [
    '../../_base_/models/topdown_hrnetv2_w18.py',
    '../../_base_/codecs/msra_256x256.py',
    '../../_base_/augmentations/face.py',
    '../../_base_/datasets/wflw_topdown.py',
    '../../_base_/schedules/face_60e.py',
]

model = dict(head=dict(out_channels=_base_.num_keypoints, loss=dict(type='AdaptiveWingLoss'), decoder=_base_.codec))
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
