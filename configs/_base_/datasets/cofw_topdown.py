# COFW: 29 keypoints of a half-hidden face, error in distances between the eyes.
_base_ = ['topdown.py']

num_keypoints = 29
data_root = 'data/cofw/'

dataset = dict(type='COFWDataset', data_root=data_root, data_prefix=dict(img='images/'))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/cofw_train.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/cofw_test.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='NME', norm_mode='keypoint_distance')
test_evaluator = val_evaluator
