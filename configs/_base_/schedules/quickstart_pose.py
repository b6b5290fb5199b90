# A few minutes on two CPU cores: AdamW, one cosine over the whole run.
_base_ = ['mmpose::_base_/default_runtime.py']

max_epochs = 8
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=5e-3, betas=(0.9, 0.98), weight_decay=0.1))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=100, start_factor=0.01, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, end=max_epochs, T_max=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(interval=max_epochs // 2, max_keep_ckpts=1, save_best='coco/AP', rule='greater'))
randomness = dict(seed=0)
