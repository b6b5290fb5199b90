# How HRNetV2 begins where its ImageNet weights are not at hand, and what they do not fill.
random_init = [
    dict(type='Kaiming', layer='Conv2d'),
    dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
]
