# The heads have the widths of W18 in mmseg's base already.
_base_ = ['ocrnet.py', 'hrnetv2_w18.py']

model = dict(backbone=_base_.backbone)
