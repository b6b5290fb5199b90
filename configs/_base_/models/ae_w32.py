# Heatmaps and tags from one convolution on the highest resolution of W32.
_base_ = ['ae.py', 'hrnet_w32.py']

model = dict(
    backbone=dict(
        arch=_base_.arch,
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=_base_.imagenet)]),
    head=dict(
        type='hrnet_plugin.AssociativeEmbeddingHead', in_channels=_base_.width, deconv_out_channels=None))
