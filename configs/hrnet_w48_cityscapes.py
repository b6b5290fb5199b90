# Published: mIoU 80.65 on Cityscapes val (mmseg, fcn_hr48_4xb2-160k_cityscapes-512x1024), 4 x 2 images a step.
_base_ = [
    '_base_/models/fcn_w48.py',
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]

model = dict(data_preprocessor=dict(size=_base_.crop_size))
