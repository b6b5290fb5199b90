# Bottom-up estimators on all four branches, brought to one size and concatenated.
_base_ = ['pose.py']

model = dict(
    type='BottomupPoseEstimator',
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(num_keypoints=17),
    test_cfg=dict(multiscale_test=False, flip_test=True, align_corners=False))
