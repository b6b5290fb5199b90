# From weights trained on COCO: 20 epochs, evaluated and saved after each.
_base_ = ['coco_210e.py']

warmup, steps = _base_.param_scheduler
param_scheduler = [warmup, dict(steps, end=20, milestones=[10, 15])]
train_cfg = dict(max_epochs=20, val_interval=1)
default_hooks = dict(checkpoint=dict(save_best='posetrack18/Total AP', interval=1))
