# mmdet's Faster R-CNN with our backbone and its pyramid, HRFPN.
_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py']

model = dict(
    backbone=dict(_delete_=True, type='hrnet_plugin.HRNet', norm_eval=True),
    neck=dict(_delete_=True, type='HRFPN', out_channels=256))
