# Published: box AP 41.4 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/faster_rcnn_hrnetv2p_w32.py',
    'mmdet::_base_/datasets/coco_detection.py',
    'mmdet::_base_/schedules/schedule_2x.py',
    'mmdet::_base_/default_runtime.py',
]
