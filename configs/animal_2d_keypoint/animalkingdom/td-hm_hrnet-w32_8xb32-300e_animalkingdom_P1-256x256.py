# Published: PCK@0.05 0.6323 on Animal Kingdom, all animals (mmpose).
_base_ = [
    '../../_base_/models/topdown_w32.py',
    '../../_base_/codecs/msra_256x256.py',
    '../../_base_/augmentations/body.py',
    '../../_base_/datasets/animalkingdom_topdown.py',
    '../../_base_/schedules/animalkingdom_300e.py',
]
part = 'ak_P1'

model = dict(head=dict(out_channels=_base_.num_keypoints, decoder=_base_.codec))
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file=f'annotations/{part}/train.json',
        pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(
    dataset=dict(ann_file=f'annotations/{part}/test.json', pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
