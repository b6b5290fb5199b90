_base_ = ['dekr.py', 'hrnet_w32.py']

model = dict(
    backbone=dict(
        arch=_base_.arch,
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=_base_.imagenet)]),
    head=dict(in_channels=15 * _base_.width))
