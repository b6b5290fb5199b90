# Published: box AP 44.3, mask AP 38.6 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/cascade_mask_rcnn_hrnetv2p_w32.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_20e.py',
    'mmdet::_base_/default_runtime.py',
]
