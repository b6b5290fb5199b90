# Published: top-1 79.46 %, top-5 94.65 % on ImageNet-1k val (mmpretrain).
_base_ = [
    '../../_base_/models/cls_w64.py',
    'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py',
    '../../_base_/schedules/imagenet_100e_4xb32.py',
    'mmpretrain::_base_/default_runtime.py',
]
