# Faces; the schedule ends at epoch 50, so that the last step is never taken.
_base_ = ['face_60e.py']

warmup, steps = _base_.param_scheduler
param_scheduler = [warmup, dict(steps, end=50)]
