# Published: top-1 76.75 %, top-5 93.44 % on ImageNet-1k val (mmpretrain); from SSLD 81.06 %, 95.70 %.
_base_ = [
    '../../_base_/models/cls_w18.py',
    'mmpretrain::_base_/datasets/imagenet_bs32_pil_resize.py',
    '../../_base_/schedules/imagenet_100e_4xb32.py',
    'mmpretrain::_base_/default_runtime.py',
]
