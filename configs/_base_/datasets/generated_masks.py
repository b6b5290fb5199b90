# The generated people (`hrnet data make`) as semantic masks at 256x192 (width x height); 255 is not counted. Training
# sees crops that are at most three quarters background: a step learns more from many pieces than from a few pictures.
data_root = 'data/people/'
crop_size = (128, 128)
metainfo = dict(
    classes=('background', 'head', 'torso', 'arms', 'legs', 'object'),
    palette=[[40, 44, 52], [235, 94, 85], [250, 183, 60], [86, 180, 110], [66, 135, 214], [160, 100, 190]])

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=factor, keep_ratio=True) for factor in (0.75, 1.0, 1.25)],
            [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ]),
]

masks = dict(type='BaseSegDataset', data_root=data_root, metainfo=metainfo)
loader = dict(num_workers=0, persistent_workers=False, batch_size=8)

train_dataloader = dict(
    **loader,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        **masks, data_prefix=dict(img_path='train', seg_map_path='masks/train'), pipeline=train_pipeline))
val_dataloader = dict(
    **loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**masks, data_prefix=dict(img_path='val', seg_map_path='masks/val'), pipeline=test_pipeline))
test_dataloader = dict(
    **loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**masks, data_prefix=dict(img_path='test', seg_map_path='masks/test'), pipeline=test_pipeline))

val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
