# mmengine's pure-Python form: classes in the place of names. Our backbone with all its branches, a neck of mmpose that
# brings them to one size, and somebody's own head from the folder beside this file.
from mmengine.dataset import DefaultSampler
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets import (CocoDataset, GenerateTarget, GetBBoxCenterScale, LoadImage, PackPoseInputs, RandomFlip,
                             TopdownAffine)
from mmpose.evaluation import CocoMetric
from mmpose.models import FeatureMapProcessor, PoseDataPreprocessor, TopdownPoseEstimator
from own_head import OwnHead
from torch.optim import AdamW

from hrnet_plugin import HRNet

default_scope = 'mmpose'
codec = dict(type=MSRAHeatmap, input_size=(96, 128), heatmap_size=(24, 32), sigma=1.5, unbiased=True)

model = dict(
    type=TopdownPoseEstimator,
    data_preprocessor=dict(
        type=PoseDataPreprocessor, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(type=HRNet, arch='w18_small_v1'),
    neck=dict(type=FeatureMapProcessor, concat=True),
    head=dict(type=OwnHead, in_channels=16 + 32 + 64 + 128, out_channels=17, decoder=codec),
    test_cfg=dict(flip_test=False))

data_root = 'data/people/'
cut = [dict(type=LoadImage), dict(type=GetBBoxCenterScale)]
pack = [dict(type=TopdownAffine, input_size=codec['input_size']), dict(type=PackPoseInputs)]
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(
        type=CocoDataset,
        data_root=data_root,
        data_mode='topdown',
        ann_file='annotations/person_keypoints_train.json',
        data_prefix=dict(img='train/'),
        pipeline=[*cut, dict(type=RandomFlip), pack[0], dict(type=GenerateTarget, encoder=codec), pack[1]]))
val_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type=DefaultSampler, shuffle=False, round_up=False),
    dataset=dict(
        type=CocoDataset,
        data_root=data_root,
        data_mode='topdown',
        ann_file='annotations/person_keypoints_val.json',
        data_prefix=dict(img='val/'),
        test_mode=True,
        pipeline=[*cut, *pack]))
test_dataloader = val_dataloader

val_evaluator = dict(type=CocoMetric, ann_file=data_root + 'annotations/person_keypoints_val.json')
test_evaluator = val_evaluator

train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=4)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=1e-3))
