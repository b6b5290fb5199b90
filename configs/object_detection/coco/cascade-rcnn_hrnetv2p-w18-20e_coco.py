# Published: box AP 41.2 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/cascade_rcnn_hrnetv2p_w18.py',
    'mmdet::_base_/datasets/coco_detection.py',
    'mmdet::_base_/schedules/schedule_20e.py',
    'mmdet::_base_/default_runtime.py',
]
