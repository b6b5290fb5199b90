# Loaders of whole images with everybody in them. A data set adds its files, a leaf the batch size and the pipelines:
# `load`, the codec's `jitter` or `resize`, `flip`, the codec's `encode`, `mask`, and `pack` or `pack_test`.
load = dict(type='LoadImage')
flip = dict(type='RandomFlip', direction='horizontal')
mask = dict(type='BottomupGetHeatmapMask')
pack = dict(type='PackPoseInputs')
pack_test = dict(
    type='PackPoseInputs',
    meta_keys=('id', 'img_id', 'img_path', 'crowd_index', 'ori_shape', 'img_shape', 'input_size', 'input_center',
               'input_scale', 'flip', 'flip_direction', 'flip_indices', 'raw_ann_info', 'skeleton_links'))

train_dataloader = dict(
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(data_mode='bottomup'))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(data_mode='bottomup', test_mode=True))
test_dataloader = val_dataloader
