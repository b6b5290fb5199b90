# COCO's persons at 256x192 with everything that a model needs to train on them: heatmaps and augmentation too.
_base_ = ['coco_topdown.py', '../codecs/msra_256x192.py', '../augmentations/body.py']

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, *_base_.augment, _base_.crop, _base_.encode, _base_.pack]))
val_dataloader = dict(dataset=dict(pipeline=[*_base_.load, _base_.crop, _base_.pack]))
test_dataloader = val_dataloader
