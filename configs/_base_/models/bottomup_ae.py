# Associative embedding: the preprocessing and backbone of the top-down networks, but whole images, and tags beside the
# heatmaps. The bases of the two heads add their type, a leaf the architecture, the head's width and the decoder.
_base_ = ['topdown_heatmap.py']

model = dict(
    type='BottomupPoseEstimator',
    head=dict(
        _delete_=True,
        num_keypoints=17,
        tag_dim=1,
        tag_per_keypoint=True,
        keypoint_loss=dict(type='KeypointMSELoss', use_target_weight=True),
        tag_loss=dict(type='hrnet_plugin.AssociativeEmbeddingLoss', loss_weight=0.001)),
    test_cfg=dict(
        _delete_=True,
        multiscale_test=False,
        flip_test=True,
        shift_heatmap=False,
        restore_heatmap_size=True,
        align_corners=False))
