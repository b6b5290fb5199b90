# The same, and boxes stay in their place.
_base_ = ['face_shifted.py']

flip, jitter = _base_.augment
augment = [flip, dict(jitter, shift_prob=0)]
