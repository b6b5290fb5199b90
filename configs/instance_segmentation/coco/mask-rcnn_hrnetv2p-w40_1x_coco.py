# Published: box AP 42.1, mask AP 37.5 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/mask_rcnn_hrnetv2p_w40.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
]
