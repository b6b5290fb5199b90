_base_ = ['fcos_hrnetv2p.py', 'hrnetv2_w40.py']

model = dict(backbone=_base_.backbone, neck=dict(in_channels=_base_.channels))
