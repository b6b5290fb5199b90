# COCO, and AI Challenger's persons for those keypoints that both have. Evaluated on COCO.
_base_ = ['coco_topdown.py', 'aic_files.py']

aic_to_coco = [(0, 6), (1, 8), (2, 10), (3, 5), (4, 7), (5, 9), (6, 12), (7, 14), (8, 16), (9, 11), (10, 13), (11, 15)]
aic_pipeline = [dict(type='KeypointConverter', num_keypoints=17, mapping=aic_to_coco)]

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/coco.py'),
        datasets=[
            dict(_base_.train_dataloader.dataset, pipeline=[]),
            dict(_base_.aic_train_set, pipeline=aic_pipeline),
        ],
        test_mode=False))
