# Published: box AP 41.9 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/fcos_hrnetv2p_w32.py',
    '../../_base_/datasets/coco_detection_b4_ms_640_800.py',
    '../../_base_/schedules/fcos_2x.py',
    'mmdet::_base_/default_runtime.py',
]
