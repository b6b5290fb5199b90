# ExLPose: 14 keypoints of people in the dark; evaluated on the low-light pictures of every difficulty.
_base_ = ['topdown.py']

num_keypoints = 14
data_root = 'data/ExLPose/'
val_file = 'annotations/ExLPose/ExLPose_test_LL-A.json'

dataset = dict(type='ExlposeDataset', data_root=data_root, data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/ExLPose/ExLPose_train_LL.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file=val_file))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoMetric', ann_file=data_root + val_file, use_area=False)
test_evaluator = val_evaluator
