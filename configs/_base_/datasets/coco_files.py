# Where COCO's keypoints lie.
data_root = 'data/coco/'
val_file = 'annotations/person_keypoints_val2017.json'
detections = data_root + 'person_detection_results/COCO_val2017_detections_AP_H_56_person.json'

dataset = dict(type='CocoDataset', data_root=data_root)
train_set = dict(
    **dataset, ann_file='annotations/person_keypoints_train2017.json', data_prefix=dict(img='train2017/'))
val_set = dict(**dataset, ann_file=val_file, data_prefix=dict(img='val2017/'))
