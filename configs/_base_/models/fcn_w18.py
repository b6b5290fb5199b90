# The head of mmseg's base has the widths of W18 already.
_base_ = ['fcn.py']

imagenet = 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth'

model = dict(
    backbone=dict(
        arch='w18',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]))
