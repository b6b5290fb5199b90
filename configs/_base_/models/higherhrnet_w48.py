# HigherHRNet (Cheng et al., CVPR 2020) on W48: heatmaps again at twice the highest resolution.
_base_ = ['ae.py', 'hrnet_w48.py']

model = dict(
    backbone=dict(
        arch=_base_.arch,
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=_base_.imagenet)]),
    head=dict(type='hrnet_plugin.HigherHRNetHead', in_channels=_base_.width))
