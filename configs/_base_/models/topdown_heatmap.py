# Top-down heatmap estimator on HRNet's highest resolution. A leaf adds the architecture, the head's width, and the
# codec, which encodes in the data set's pipeline too.
_base_ = ['pose.py']

model = dict(
    type='TopdownPoseEstimator',
    backbone=dict(multiscale_output=False),
    head=dict(
        type='HeatmapHead',
        out_channels=17,
        deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True)),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True))
