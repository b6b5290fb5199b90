# The generated people (`hrnet data make`), one person a sample, cut out at 96x128 (width x height). Boxes are the
# annotated ones. Samples are loaded between the steps: on two cores, loader processes and the network's threads would
# wait for each other. Three times sigma has to be a whole number: mmpose draws the peak half a cell off otherwise.
data_root = 'data/people/'
codec = dict(type='UDPHeatmap', input_size=(96, 128), heatmap_size=(24, 32), sigma=1, blur_kernel_size=5)

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('img_path', )),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='PackPoseInputs'),
]

people = dict(type='CocoDataset', data_root=data_root, data_mode='topdown')
loader = dict(num_workers=0, persistent_workers=False)
evaluation = dict(**loader, batch_size=64, sampler=dict(type='DefaultSampler', shuffle=False, round_up=False))

train_dataloader = dict(
    **loader,
    batch_size=32,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        **people,
        ann_file='annotations/person_keypoints_train.json',
        data_prefix=dict(img='train/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    **evaluation,
    dataset=dict(
        **people,
        ann_file='annotations/person_keypoints_val.json',
        data_prefix=dict(img='val/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = dict(
    **evaluation,
    dataset=dict(
        **people,
        ann_file='annotations/person_keypoints_test.json',
        data_prefix=dict(img='test/'),
        test_mode=True,
        pipeline=val_pipeline))

val_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/person_keypoints_val.json')
test_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/person_keypoints_test.json')
