# Published: box AP 37.7, mask AP 34.2 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/mask_rcnn_hrnetv2p_w18.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
]
