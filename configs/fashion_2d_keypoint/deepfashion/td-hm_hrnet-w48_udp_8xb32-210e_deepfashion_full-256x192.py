# Published: AUC 67.3 on DeepFashion's validation set (mmpose).
# Its name says UDP; the published config comes to MSRA's heatmaps and plain crops.
_base_ = [
    '../../_base_/models/topdown_w48.py',
    '../../_base_/codecs/msra_256x192.py',
    '../../_base_/augmentations/clothes.py',
    '../../_base_/datasets/deepfashion_topdown.py',
    '../../_base_/schedules/deepfashion_210e.py',
]
subset = 'full'

model = dict(head=dict(out_channels=8, decoder=_base_.codec), test_cfg=dict(shift_heatmap=False))
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        subset=subset,
        ann_file=f'annotations/fld_{subset}_train.json',
        pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(
    dataset=dict(
        subset=subset,
        ann_file=f'annotations/fld_{subset}_val.json',
        pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = dict(
    dataset=dict(val_dataloader['dataset'], ann_file=f'annotations/fld_{subset}_test.json'))
