# Faces, 256 samples a step in all; the schedule is longer than the training, which changes nothing.
_base_ = ['face_60e.py']

warmup, steps = _base_.param_scheduler
param_scheduler = [warmup, dict(steps, end=210)]
auto_scale_lr = dict(base_batch_size=256)
