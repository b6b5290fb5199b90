# Bodies without half bodies.
_base_ = ['body.py']

augment = [_base_.augment[0], _base_.augment[-1]]
