# Published: box AP 45.1, mask AP 39.3 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/cascade_mask_rcnn_hrnetv2p_w40.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_20e.py',
    'mmdet::_base_/default_runtime.py',
]
