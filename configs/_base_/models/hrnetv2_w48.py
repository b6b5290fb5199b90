_base_ = ['hrnetv2.py']

imagenet = 'open-mmlab://msra/hrnetv2_w48'
backbone = dict(arch='w48', init_cfg=[*_base_.random_init, dict(type='Pretrained', checkpoint=imagenet)])
width = 48
channels = [width, 2 * width, 4 * width, 8 * width]
