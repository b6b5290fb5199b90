# Photographs and semantic masks in COCO's folders: `train2017/*.jpg` with `masks/train2017/*.png`, and the same for
# val2017; five coarse classes, 255 is not counted.
_base_ = ['generated_masks.py']

data_root = 'data/coco_masks/'
crop_size = (512, 512)
metainfo = dict(
    classes=('background', 'person', 'vehicle', 'animal', 'thing'),
    palette=[[40, 44, 52], [235, 94, 85], [66, 135, 214], [250, 183, 60], [160, 100, 190]])

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(2048, 512), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        data_root=data_root,
        metainfo=metainfo,
        data_prefix=dict(img_path='train2017', seg_map_path='masks/train2017'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        data_root=data_root,
        metainfo=metainfo,
        data_prefix=dict(img_path='val2017', seg_map_path='masks/val2017')))
test_dataloader = val_dataloader
