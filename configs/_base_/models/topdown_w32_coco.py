# W32 that starts from the published COCO weights instead of ImageNet's.
_base_ = ['topdown_w32.py', '../weights/coco_topdown.py']

coco = dict(type='Pretrained', prefix='backbone.', checkpoint=_base_.coco_weights.w32_256x192)
model = dict(backbone=dict(init_cfg=[*_base_.model.backbone.init_cfg[:2], coco]))
