# WFLW: 98 keypoints of a face, error in distances between the outer corners of the eyes.
_base_ = ['topdown.py']

num_keypoints = 98
data_root = 'data/wflw/'

dataset = dict(type='WFLWDataset', data_root=data_root, data_prefix=dict(img='images/'))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/face_landmarks_wflw_train.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/face_landmarks_wflw_test.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='NME', norm_mode='keypoint_distance')
test_evaluator = val_evaluator
