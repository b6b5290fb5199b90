# AFLW: 19 keypoints of a face, error in sizes of its box.
_base_ = ['topdown.py']

num_keypoints = 19
data_root = 'data/aflw/'

dataset = dict(type='AFLWDataset', data_root=data_root, data_prefix=dict(img='images/'))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/face_landmarks_aflw_train.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/face_landmarks_aflw_test.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='NME', norm_mode='use_norm_item', norm_item='bbox_size')
test_evaluator = val_evaluator
