# Published: mIoU 77.16 on Cityscapes val (mmseg).
_base_ = [
    '../../_base_/models/ocrnet_w18_small_v2.py',
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_80k.py',
    'mmseg::_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
