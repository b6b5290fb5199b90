_base_ = ['hrnetv2.py']

imagenet = 'hrnet://hrnetv2_w32_imagenet'
backbone = dict(arch='w32', init_cfg=[*_base_.random_init, dict(type='Pretrained', checkpoint=imagenet)])
width = 32
channels = [width, 2 * width, 4 * width, 8 * width]
