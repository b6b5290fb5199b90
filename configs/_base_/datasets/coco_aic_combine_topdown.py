# The same with all keypoints of both: COCO's 17, then AI Challenger's head and neck.
_base_ = ['coco_aic_merge_topdown.py']

num_keypoints = 19
combined = dict(from_file='configs/_base_/datasets/coco_aic.py')
coco_train, aic_train = _base_.train_dataloader.dataset.datasets
coco_mapping = [(keypoint, keypoint) for keypoint in range(17)]
aic_mapping = [*_base_.aic_to_coco, (12, 17), (13, 18)]
converter = dict(type='KeypointConverter', num_keypoints=num_keypoints)

train_dataloader = dict(
    dataset=dict(
        metainfo=combined,
        datasets=[
            dict(coco_train, pipeline=[dict(converter, mapping=coco_mapping)]),
            dict(aic_train, pipeline=[dict(converter, mapping=aic_mapping)]),
        ]))
