# COCO keypoints, one person a sample. Evaluation uses the person detections of the published results.
_base_ = ['topdown.py', 'coco_files.py']

train_dataloader = dict(dataset=_base_.train_set)
val_dataloader = dict(dataset=dict(**_base_.val_set, bbox_file=_base_.detections))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoMetric', ann_file=_base_.data_root + _base_.val_file)
test_evaluator = val_evaluator
