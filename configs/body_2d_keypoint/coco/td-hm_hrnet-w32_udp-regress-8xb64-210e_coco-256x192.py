# Published: AP 0.759 on COCO val2017 (mmpose).
_base_ = [
    '../../_base_/models/topdown_w32.py',
    '../../_base_/codecs/udp_combined_256x192.py',
    '../../_base_/augmentations/body.py',
    '../../_base_/datasets/coco_topdown.py',
    '../../_base_/schedules/coco_210e.py',
]

model = dict(
    head=dict(out_channels=3 * 17, loss=dict(type='CombinedTargetMSELoss'), decoder=_base_.codec),
    train_cfg=dict(compute_acc=False),
    test_cfg=dict(flip_mode='udp_combined', shift_heatmap=False))
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
