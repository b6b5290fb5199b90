# Published: AP 0.699 on COCO val2017 by the authors (w48_640_adam_lr1e-3), with 10 images a GPU and this learning rate.
_base_ = [
    '../../_base_/models/bottomup_ae_higherhrnet.py',
    '../../_base_/datasets/coco_bottomup_higherhrnet_640x640.py',
    '../../_base_/schedules/coco_ae_300e.py',
]
imagenet = 'https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth'

train_dataloader = dict(batch_size=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=80)

model = dict(
    backbone=dict(
        arch='w48',
        init_cfg=[*_base_.model.backbone.init_cfg, dict(type='Pretrained', checkpoint=imagenet)]),
    head=dict(in_channels=48, decoder=dict(_base_.codec, heatmap_size=_base_.codec.input_size)))
