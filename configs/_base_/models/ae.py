# Associative embedding (Newell et al., NeurIPS 2017): heatmaps, and tags that group the keypoints into persons.
_base_ = ['pose.py']

scoring = dict(score_mode='bbox', nms_mode='none')
model = dict(
    type='BottomupPoseEstimator',
    backbone=dict(multiscale_output=False),
    head=dict(
        num_keypoints=17,
        tag_dim=1,
        tag_per_keypoint=True,
        keypoint_loss=dict(type='KeypointMSELoss', use_target_weight=True),
        tag_loss=dict(type='hrnet_plugin.AssociativeEmbeddingLoss', loss_weight=0.001)),
    test_cfg=dict(
        multiscale_test=False,
        flip_test=True,
        shift_heatmap=False,
        restore_heatmap_size=True,
        align_corners=False))
