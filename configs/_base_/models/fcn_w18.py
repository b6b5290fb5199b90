# The head has the widths of W18 in mmseg's base already.
_base_ = ['fcn.py', 'hrnetv2_w18.py']

model = dict(backbone=_base_.backbone)
