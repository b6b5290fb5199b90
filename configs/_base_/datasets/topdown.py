# Loaders of single bodies, faces or hands, each cut out of its image. A data set adds its files, a leaf the pipelines:
# `load`, augmentation, the codec's `crop` and `encode`, `pack`.
load = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale')]
pack = dict(type='PackPoseInputs')

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(data_mode='topdown'))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(data_mode='topdown', test_mode=True))
test_dataloader = val_dataloader
