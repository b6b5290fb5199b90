# Published: box AP 42.8, mask AP 38.2 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/mask_rcnn_hrnetv2p_w40.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_2x.py',
    'mmdet::_base_/default_runtime.py',
]
