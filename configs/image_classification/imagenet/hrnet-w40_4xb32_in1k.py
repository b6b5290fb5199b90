# Published: top-1 78.94 %, top-5 94.47 % on ImageNet-1k val (mmpretrain).
_base_ = [
    '../../_base_/models/cls_w40.py',
    'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py',
    '../../_base_/schedules/imagenet_100e_4xb32.py',
    'mmpretrain::_base_/default_runtime.py',
]
