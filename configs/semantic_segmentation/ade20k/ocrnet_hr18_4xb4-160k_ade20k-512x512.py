# Published: mIoU 39.32 on ADE20K val (mmseg).
_base_ = [
    '../../_base_/models/ocrnet_w18.py',
    '../../_base_/datasets/ade20k.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]

data_preprocessor = dict(size=_base_.crop_size)
model = dict(
    data_preprocessor=data_preprocessor,
    decode_head=[dict(head, num_classes=_base_.num_classes) for head in _base_.model.decode_head])
