# The same, and boxes stay in their place.
_base_ = ['clothes.py']

flip, jitter = _base_.augment
augment = [flip, dict(jitter, shift_prob=0)]
