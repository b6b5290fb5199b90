# Published: box AP 38.2 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/fcos_hrnetv2p_w18.py',
    '../../_base_/datasets/coco_detection_b4.py',
    '../../_base_/schedules/fcos_2x.py',
    'mmdet::_base_/default_runtime.py',
]
