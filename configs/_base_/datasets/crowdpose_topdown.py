_base_ = ['topdown.py', 'crowdpose_files.py']

boxes = _base_.data_root + 'annotations/det_for_crowd_test_0.1_0.5.json'
train_dataloader = dict(dataset=_base_.train_set)
val_dataloader = dict(dataset=dict(**_base_.val_set, bbox_file=boxes))
test_dataloader = val_dataloader
