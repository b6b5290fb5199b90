# DEKR on CrowdPose: 300 epochs, steps at 200 and 260.
_base_ = ['dekr_140e.py']

warmup, steps = _base_.param_scheduler
param_scheduler = [warmup, dict(steps, end=300, milestones=[200, 260])]
train_cfg = dict(max_epochs=300, val_interval=20)
default_hooks = dict(checkpoint=dict(save_best='crowdpose/AP'))
