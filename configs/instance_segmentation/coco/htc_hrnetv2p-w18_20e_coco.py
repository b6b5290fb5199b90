# Published: box AP 42.8, mask AP 37.9 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/htc_hrnetv2p_w18.py',
    '../../_base_/datasets/coco_instance_stuff.py',
    'mmdet::_base_/schedules/schedule_20e.py',
    'mmdet::_base_/default_runtime.py',
]
