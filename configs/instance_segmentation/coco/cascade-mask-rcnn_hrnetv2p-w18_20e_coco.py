# Published: box AP 41.6, mask AP 36.4 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/cascade_mask_rcnn_hrnetv2p_w18.py',
    'mmdet::_base_/datasets/coco_instance.py',
    'mmdet::_base_/schedules/schedule_20e.py',
    'mmdet::_base_/default_runtime.py',
]
