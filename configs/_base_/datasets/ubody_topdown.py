# UBody: COCO-WholeBody and every tenth frame of fifteen kinds of videos. Evaluated on COCO-WholeBody.
_base_ = ['coco_wholebody_topdown.py']

scenes = [
    'Magic_show', 'Entertainment', 'ConductMusic', 'Online_class', 'TalkShow', 'Speech', 'Fitness', 'Interview',
    'Olympic', 'TVShow', 'Singing', 'SignLanguage', 'Movie', 'LiveVlog', 'VideoConference'
]
ubody = dict(
    type='UBody2dDataset',
    data_root='data/UBody/',
    data_mode='topdown',
    data_prefix=dict(img='images/'),
    pipeline=[],
    sample_interval=10)

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/coco_wholebody.py'),
        datasets=[
            dict(_base_.train_dataloader.dataset, pipeline=[]),
            *[dict(ubody, ann_file=f'annotations/{scene}/train_annotations.json') for scene in scenes],
        ],
        test_mode=False))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CocoWholeBodyDataset',
        ann_file=_base_.val_evaluator.ann_file,
        data_prefix=dict(img=_base_.data_root + _base_.val_set.data_prefix.img),
        bbox_file=_base_.detections,
        test_mode=True))
test_dataloader = val_dataloader
