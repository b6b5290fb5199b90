# Where CrowdPose lies, and how it is evaluated: 14 keypoints, AP by how crowded an image is.
num_keypoints = 14
data_root = 'data/crowdpose/'
val_file = 'annotations/mmpose_crowdpose_test.json'

dataset = dict(type='CrowdPoseDataset', data_root=data_root, data_prefix=dict(img='images/'))
train_set = dict(**dataset, ann_file='annotations/mmpose_crowdpose_trainval.json')
val_set = dict(**dataset, ann_file=val_file)

val_evaluator = dict(
    type='CocoMetric',
    ann_file=data_root + val_file,
    use_area=False,
    iou_type='keypoints_crowd',
    prefix='crowdpose')
test_evaluator = val_evaluator
