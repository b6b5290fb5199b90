# Fully convolutional head on all four branches, brought to one size and concatenated. A leaf adds the architecture,
# the head's widths, the classes and the crop size. mmseg's own base cannot be read here: mmengine marks every dict of
# another package's base with its scope, and mmcv's norm layers refuse the mark.
norm_cfg = dict(type='SyncBN', requires_grad=True)

model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255),
    backbone=dict(
        type='hrnet_plugin.HRNet',
        norm_cfg=norm_cfg,
        multiscale_output=True,
        upsample_mode='bilinear',
        align_corners=False,
        init_cfg=[
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
        ]),
    decode_head=dict(
        type='FCNHead',
        in_index=(0, 1, 2, 3),
        input_transform='resize_concat',
        kernel_size=1,
        num_convs=1,
        concat_input=False,
        dropout_ratio=-1,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
