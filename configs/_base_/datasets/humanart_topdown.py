# Human-Art: COCO's keypoints of people in pictures of every kind, trained together with COCO's own photographs.
_base_ = ['topdown.py']

data_root = 'data/'
val_file = 'HumanArt/annotations/validation_humanart.json'

dataset = dict(type='HumanArtDataset', data_root=data_root, data_prefix=dict(img=''))
train_dataloader = dict(dataset=dict(**dataset, ann_file='HumanArt/annotations/training_humanart_coco.json'))
val_dataloader = dict(
    dataset=dict(
        **dataset,
        ann_file=val_file,
        bbox_file=data_root + 'HumanArt/person_detection_results/HumanArt_validation_detections_AP_H_56_person.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='CocoMetric', ann_file=data_root + val_file)
test_evaluator = val_evaluator
