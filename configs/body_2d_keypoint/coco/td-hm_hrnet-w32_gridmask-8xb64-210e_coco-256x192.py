# Published: AP 0.752 on COCO val2017 (mmpose).
_base_ = [
    '../../_base_/models/topdown_w32_coco.py',
    '../../_base_/codecs/msra_256x192.py',
    '../../_base_/augmentations/body.py',
    '../../_base_/datasets/coco_topdown.py',
    '../../_base_/schedules/coco_210e.py',
]
grid = dict(type='GridDropout', unit_size_min=10, unit_size_max=40, random_offset=True, p=0.5)
dropout = dict(type='Albumentation', transforms=[grid])

model = dict(head=dict(decoder=_base_.codec))
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, dropout, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
