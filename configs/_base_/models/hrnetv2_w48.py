_base_ = ['hrnetv2.py']

imagenet = 'hrnet://hrnetv2_w48_imagenet'
backbone = dict(arch='w48', init_cfg=[*_base_.random_init, dict(type='Pretrained', checkpoint=imagenet)])
width = 48
channels = [width, 2 * width, 4 * width, 8 * width]
