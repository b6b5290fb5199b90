# Published: mIoU 81.35 on Cityscapes val (mmseg).
_base_ = [
    '../../_base_/models/ocrnet_w48.py',
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor)
