# COCO's instances and, for training, its stuff as semantic masks (stuffthingmaps).
_base_ = ['mmdet::_base_/datasets/coco_instance.py']

train_pipeline = [
    dict(step, with_seg=True) if step.type == 'LoadAnnotations' else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(data_prefix=dict(seg='stuffthingmaps/train2017/'), pipeline=train_pipeline))
