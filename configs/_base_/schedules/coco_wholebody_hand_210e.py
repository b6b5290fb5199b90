# Hands, 256 samples a step in all.
_base_ = ['hand_210e.py']

auto_scale_lr = dict(base_batch_size=256)
