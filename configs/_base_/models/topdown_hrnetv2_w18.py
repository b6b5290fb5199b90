# All four branches of W18, brought to one size and concatenated (HRNetV2), for faces and hands.
_base_ = ['topdown_heatmap.py', 'hrnetv2_w18.py']

channels = sum(_base_.channels)
model = dict(
    backbone=dict(
        arch=_base_.backbone.arch,
        multiscale_output=True,
        upsample_mode='bilinear',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=_base_.imagenet)]),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(in_channels=channels, conv_out_channels=(channels, ), conv_kernel_sizes=(1, )))
