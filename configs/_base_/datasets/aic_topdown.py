# AI Challenger: 14 keypoints, AP without the persons' areas.
_base_ = ['topdown.py', 'aic_files.py']

num_keypoints = 14
data_root = _base_.aic_root
val_file = 'annotations/aic_val.json'

train_dataloader = dict(dataset=_base_.aic_train_set)
val_dataloader = dict(
    dataset=dict(
        **_base_.aic,
        ann_file=val_file,
        data_prefix=dict(img='ai_challenger_keypoint_validation_20170911/keypoint_validation_images_20170911/')))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoMetric', ann_file=data_root + val_file, use_area=False)
test_evaluator = val_evaluator
