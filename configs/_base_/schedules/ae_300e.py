# Associative embedding on COCO: Adam, 300 epochs, steps at 200 and 260, 192 images a step in all.
_base_ = ['coco_210e.py']

warmup, steps = _base_.param_scheduler
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [warmup, dict(steps, end=300, milestones=[200, 260])]
train_cfg = dict(max_epochs=300)
auto_scale_lr = dict(base_batch_size=192)
default_hooks = dict(checkpoint=dict(interval=50))
