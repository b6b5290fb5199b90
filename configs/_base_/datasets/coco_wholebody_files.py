# COCO-WholeBody's annotations of COCO's photographs.
_base_ = ['coco_files.py']

val_file = 'annotations/coco_wholebody_val_v1.0.json'
train_set = dict(ann_file='annotations/coco_wholebody_train_v1.0.json')
val_set = dict(ann_file=val_file)
