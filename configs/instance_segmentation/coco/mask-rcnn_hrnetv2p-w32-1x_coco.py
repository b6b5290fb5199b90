# Published: box AP 41.2, mask AP 37.1 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/mask_rcnn_hrnetv2p_w32.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_1x.py',
    'mmdet::_base_/default_runtime.py',
]
