# Lite-HRNet's, without half bodies.
_base_ = ['body_lite.py']

augment = [_base_.augment[0], _base_.augment[-1]]
