# AP-10K: COCO's evaluation for 17 keypoints of animals, with a test set of its own.
_base_ = ['topdown.py']

data_root = 'data/ap10k/'
val_file = 'annotations/ap10k-val-split1.json'
test_file = 'annotations/ap10k-test-split1.json'

dataset = dict(type='AP10KDataset', data_root=data_root, data_prefix=dict(img='data/'))
train_dataloader = dict(num_workers=4, dataset=dict(**dataset, ann_file='annotations/ap10k-train-split1.json'))
val_dataloader = dict(num_workers=4, dataset=dict(**dataset, ann_file=val_file))
test_dataloader = dict(num_workers=4, dataset=dict(**dataset, ann_file=test_file))

val_evaluator = dict(type='CocoMetric', ann_file=data_root + val_file)
test_evaluator = dict(type='CocoMetric', ann_file=data_root + test_file)
