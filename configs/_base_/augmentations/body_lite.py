# Lite-HRNet's: boxes turn and change their size less.
_base_ = ['body.py']

jitter = _base_.augment[-1]
augment = [*_base_.augment[:-1], dict(jitter, rotate_factor=60, scale_factor=(0.75, 1.25))]
