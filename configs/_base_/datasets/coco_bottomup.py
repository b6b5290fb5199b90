# COCO keypoints, whole images with everybody in them. A method adds its codec, the pipelines, the batch size of
# training and how CocoMetric scores and suppresses its predictions.
_base_ = ['bottomup.py', 'coco_files.py']

train_dataloader = dict(dataset=_base_.train_set)
val_dataloader = dict(dataset=_base_.val_set)
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoMetric', ann_file=_base_.data_root + _base_.val_file)
test_evaluator = val_evaluator
