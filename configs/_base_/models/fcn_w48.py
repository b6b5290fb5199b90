_base_ = ['fcn.py', 'hrnetv2_w48.py']

model = dict(
    backbone=_base_.backbone,
    decode_head=dict(in_channels=_base_.channels, channels=sum(_base_.channels)))
