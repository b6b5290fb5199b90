_base_ = ['ocrnet.py', 'hrnetv2_w48.py']

model = dict(
    backbone=_base_.backbone,
    decode_head=[
        dict(_base_.model.decode_head[0], in_channels=_base_.channels, channels=sum(_base_.channels)),
        dict(_base_.model.decode_head[1], in_channels=_base_.channels),
    ])
