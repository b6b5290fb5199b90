# The same in the other order: the flip comes last.
_base_ = ['hand.py']

augment = _base_.augment[::-1]
