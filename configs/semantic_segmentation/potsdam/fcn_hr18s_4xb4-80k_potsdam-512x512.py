# Published: mIoU 77.64 on Potsdam val (mmseg).
_base_ = [
    '../../_base_/models/fcn_w18_small_v2.py',
    '../../_base_/datasets/potsdam.py',
    'mmseg::_base_/schedules/schedule_80k.py',
    'mmseg::_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor, decode_head=dict(num_classes=_base_.num_classes))
