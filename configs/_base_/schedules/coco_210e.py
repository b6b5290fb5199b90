# The schedule of the published top-down results: Adam, 210 epochs, steps at 170 and 200, 512 samples a step in all.
# The checkpoint of the best AP is kept; the schedules built on this one keep the best by the measure of their data.
_base_ = ['mmpose::_base_/default_runtime.py']

optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=500, start_factor=0.001, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=210, milestones=[170, 200], gamma=0.1, by_epoch=True),
]
train_cfg = dict(max_epochs=210, val_interval=10)
auto_scale_lr = dict(base_batch_size=512)
default_hooks = dict(checkpoint=dict(save_best='coco/AP', rule='greater'))
