_base_ = ['fcn.py']

imagenet = 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w48-d2186c55.pth'
width = 48

model = dict(
    backbone=dict(
        arch='w48',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    decode_head=dict(in_channels=[width, 2 * width, 4 * width, 8 * width], channels=15 * width))
