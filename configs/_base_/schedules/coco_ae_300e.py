# The schedule of the published associative embedding: Adam, 300 epochs, steps at 200 and 260, 8 x 24 images a step.
_base_ = ['mmpose::_base_/default_runtime.py']

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1.5e-3))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=500, start_factor=0.001, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=300, milestones=[200, 260], gamma=0.1, by_epoch=True),
]
train_cfg = dict(max_epochs=300, val_interval=10)
auto_scale_lr = dict(base_batch_size=192)
default_hooks = dict(checkpoint=dict(save_best='coco/AP', rule='greater', interval=50))
