# Animal-Pose: 20 keypoints of cats, dogs, horses, sheep and cows.
_base_ = ['topdown.py']

num_keypoints = 20
data_root = 'data/animalpose/'
val_file = 'annotations/animalpose_val.json'

dataset = dict(type='AnimalPoseDataset', data_root=data_root, data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/animalpose_train.json'))
val_dataloader = dict(dataset=dict(**dataset, ann_file=val_file))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoMetric', ann_file=data_root + val_file)
test_evaluator = val_evaluator
