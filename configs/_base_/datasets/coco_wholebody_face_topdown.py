# The faces of COCO-WholeBody: 68 keypoints, error in distances between the outer corners of the eyes.
_base_ = ['topdown.py', 'coco_wholebody_files.py']

num_keypoints = 68
train_dataloader = dict(dataset=dict(_base_.train_set, type='CocoWholeBodyFaceDataset'))
val_dataloader = dict(dataset=dict(_base_.val_set, type='CocoWholeBodyFaceDataset'))
test_dataloader = val_dataloader

val_evaluator = dict(type='NME', norm_mode='keypoint_distance')
test_evaluator = val_evaluator
