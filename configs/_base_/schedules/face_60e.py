# Faces: 60 epochs, evaluated and saved after each; the best has the smallest error.
_base_ = ['coco_210e.py']

warmup, steps = _base_.param_scheduler
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [warmup, dict(steps, end=60, milestones=[40, 55])]
train_cfg = dict(max_epochs=60, val_interval=1)
default_hooks = dict(checkpoint=dict(save_best='NME', rule='less', interval=1))
