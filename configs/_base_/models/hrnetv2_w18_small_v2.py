# OpenMMLab calls it HR18s and its weights hrnetv2_w18_small.
_base_ = ['hrnetv2.py']

imagenet = 'hrnet://hrnetv2_w18_small_imagenet'
backbone = dict(arch='w18_small_v2', init_cfg=[*_base_.random_init, dict(type='Pretrained', checkpoint=imagenet)])
