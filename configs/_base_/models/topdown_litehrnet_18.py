_base_ = ['topdown_heatmap.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.LiteHRNet',
        arch='litehrnet_18',
        init_cfg=_base_.model.backbone.init_cfg),
    head=dict(in_channels=40))
