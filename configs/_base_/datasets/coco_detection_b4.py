_base_ = ['mmdet::_base_/datasets/coco_detection.py']

train_dataloader = dict(batch_size=4, num_workers=4)
