# Published: mIoU 66.61 on VOC 2012 val (mmseg).
_base_ = [
    '../../_base_/models/fcn_w18_small_v2.py',
    '../../_base_/datasets/voc12aug.py',
    'mmseg::_base_/schedules/schedule_40k.py',
    'mmseg::_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(data_preprocessor=data_preprocessor, decode_head=dict(num_classes=_base_.num_classes))
