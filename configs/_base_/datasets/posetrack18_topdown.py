# PoseTrack18: COCO's keypoints in videos; detections with a score below 0.4 are left out.
_base_ = ['topdown.py']

data_root = 'data/posetrack18/'
val_file = 'annotations/posetrack18_val.json'

dataset = dict(type='PoseTrack18Dataset', data_root=data_root, data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(**dataset, ann_file='annotations/posetrack18_train.json'))
val_dataloader = dict(
    dataset=dict(
        **dataset,
        ann_file=val_file,
        bbox_file=data_root + 'annotations/posetrack18_val_human_detections.json',
        filter_cfg=dict(bbox_score_thr=0.4)))
test_dataloader = val_dataloader

val_evaluator = dict(type='PoseTrack18Metric', ann_file=data_root + val_file)
test_evaluator = val_evaluator
