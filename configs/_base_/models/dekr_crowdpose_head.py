# Where DEKR's head differs on CrowdPose.
head = dict(
    displacement_loss=dict(loss_weight=0.004),
    rescore_cfg=dict(
        in_channels=59,
        norm_indexes=(0, 1),
        init_cfg=dict(checkpoint='hrnet://kpt_rescore_crowdpose')))
