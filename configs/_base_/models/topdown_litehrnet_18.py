_base_ = ['topdown_heatmap.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.LiteHRNet',
        arch='litehrnet_18'),
    head=dict(in_channels=40))
