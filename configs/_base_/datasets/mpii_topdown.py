# MPII: 16 keypoints, PCKh by the heads' boxes.
_base_ = ['topdown.py']

num_keypoints = 16
data_root = 'data/mpii/'

dataset = dict(type='MpiiDataset', data_root=data_root, data_prefix=dict(img='images/'))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/mpii_train.json'))
val_dataloader = dict(
    dataset=dict(
        **dataset,
        ann_file='annotations/mpii_val.json',
        headbox_file=data_root + 'annotations/mpii_gt_val.mat'))
test_dataloader = val_dataloader

val_evaluator = dict(type='MpiiPCKAccuracy')
test_evaluator = val_evaluator
