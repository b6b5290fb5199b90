# Contextual instance decoupling (Wang and Zhang, CVPR 2022).
_base_ = ['concat_bottomup.py']

scoring = dict(score_mode='keypoint', nms_thr=0.8)
model = dict(
    head=dict(
        type='CIDHead',
        coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
        decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss=dict(type='InfoNCELoss', temperature=0.05, loss_weight=1.0)),
    train_cfg=dict(max_train_instances=200),
    test_cfg=dict(shift_heatmap=False))
