# Disentangled keypoint regression (Geng et al., CVPR 2021) with the head and the rescoring network for COCO. The latter
# serves prediction alone: in training nothing gives it a gradient, which several processes have to look for.
_base_ = ['concat_bottomup.py']

find_unused_parameters = True
scoring = dict(score_mode='keypoint', nms_mode='none')
model = dict(
    head=dict(
        type='DEKRHead',
        heatmap_loss=dict(type='KeypointMSELoss', use_target_weight=True),
        displacement_loss=dict(
            type='SoftWeightSmoothL1Loss',
            use_target_weight=True,
            supervise_empty=False,
            beta=1 / 9,
            loss_weight=0.002),
        rescore_cfg=dict(
            in_channels=74,
            norm_indexes=(5, 6),
            init_cfg=dict(type='Pretrained', checkpoint='hrnet://kpt_rescore_coco'))),
    test_cfg=dict(nms_dist_thr=0.05, shift_heatmap=True))
