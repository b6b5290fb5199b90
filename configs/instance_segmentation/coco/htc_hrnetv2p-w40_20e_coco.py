# Published: box AP 46.4, mask AP 40.8 on COCO val2017 (mmdet).
_base_ = [
    '../../_base_/models/htc_hrnetv2p_w40.py',
    '../../_base_/datasets/coco_instance_stuff.py',
    'mmdet::_base_/schedules/schedule_20e.py',
    'mmdet::_base_/default_runtime.py',
]
