# 300W-LP: 300W's 68 keypoints on faces turned to large angles by computer.
_base_ = ['topdown.py']

num_keypoints = 68
data_root = 'data/300wlp/'

dataset = dict(type='Face300WLPDataset', data_root=data_root)
train_dataloader = dict(
    dataset=dict(**dataset, ann_file='annotations/face_landmarks_300wlp_train.json', data_prefix=dict(img='train/')))
val_dataloader = dict(
    dataset=dict(**dataset, ann_file='annotations/face_landmarks_300wlp_valid.json', data_prefix=dict(img='val/')))
test_dataloader = val_dataloader

val_evaluator = dict(type='NME', norm_mode='keypoint_distance')
test_evaluator = val_evaluator
