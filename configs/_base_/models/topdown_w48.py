_base_ = ['topdown_heatmap.py', 'hrnet_w48.py']

model = dict(
    backbone=dict(
        arch=_base_.arch,
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=_base_.imagenet)]),
    head=dict(in_channels=_base_.width))
