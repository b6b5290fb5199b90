# CID on COCO: DEKR's schedule without a warm-up, 160 images a step in all.
_base_ = ['dekr_140e.py']

param_scheduler = _base_.param_scheduler[1:]
auto_scale_lr = dict(base_batch_size=160)
