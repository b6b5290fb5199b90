# COCO-WholeBody, 133 keypoints a person, with the person detections of the published results.
_base_ = ['topdown.py', 'coco_wholebody_files.py']

num_keypoints = 133
train_dataloader = dict(dataset=dict(_base_.train_set, type='CocoWholeBodyDataset'))
val_dataloader = dict(dataset=dict(_base_.val_set, type='CocoWholeBodyDataset', bbox_file=_base_.detections))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoWholeBodyMetric', ann_file=_base_.data_root + _base_.val_file)
test_evaluator = val_evaluator
