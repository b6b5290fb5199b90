# Published: top-1 79.32 %, top-5 94.52 % on ImageNet-1k val (mmpretrain); from SSLD 83.63 %, 96.79 %.
_base_ = [
    '../../_base_/models/cls_w48.py',
    'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py',
    '../../_base_/schedules/imagenet_100e_4xb32.py',
    'mmpretrain::_base_/default_runtime.py',
]
