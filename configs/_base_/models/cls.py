# The classifier of HRNet: the four branches are fused from fine to coarse, then pooled. A width adds the channels.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='hrnet_plugin.HRNet'),
    neck=[dict(type='HRFuseScales'), dict(type='GlobalAveragePooling')],
    head=dict(
        type='LinearClsHead',
        in_channels=2048,
        num_classes=1000,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1, 5)))
