# Published: top-1 78.19 %, top-5 94.22 % on ImageNet-1k val (mmpretrain).
_base_ = [
    '../../_base_/models/cls_w30.py',
    'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py',
    '../../_base_/schedules/imagenet_100e_4xb32.py',
    'mmpretrain::_base_/default_runtime.py',
]
