# Published: mIoU 79.93 on Cityscapes val (mmseg).
_base_ = [
    '../../_base_/models/fcn_w48.py',
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_80k.py',
    'mmseg::_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
