# The hands of COCO-WholeBody.
_base_ = ['pck_topdown.py', 'coco_wholebody_files.py']

num_keypoints = 21
train_dataloader = dict(dataset=dict(_base_.train_set, type='CocoWholeBodyHandDataset'))
val_dataloader = dict(dataset=dict(_base_.val_set, type='CocoWholeBodyHandDataset'))
test_dataloader = val_dataloader
