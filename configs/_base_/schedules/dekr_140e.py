# DEKR on COCO: Adam, 140 epochs, steps at 90 and 120, 80 images a step in all.
_base_ = ['coco_210e.py']

warmup, steps = _base_.param_scheduler
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [warmup, dict(steps, end=140, milestones=[90, 120])]
train_cfg = dict(max_epochs=140)
auto_scale_lr = dict(base_batch_size=80)
