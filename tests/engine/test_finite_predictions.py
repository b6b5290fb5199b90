"""NaN predictions stop an evaluation; COCO's own evaluation would reward them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from hrnet_plugin.engine import FinitePredictionsHook
from hrnet_plugin.errors import CheckpointError


def pose(value: float) -> BaseDataElement:
    """A sample of mmpose with one person."""
    keypoints = np.zeros((1, 17, 2), np.float32)
    keypoints[0, 3, 1] = value
    sample = BaseDataElement(metainfo={"img_path": "train/7.jpg"})
    sample.pred_instances = InstanceData(keypoints=keypoints)
    return sample


def mask(value: float) -> BaseDataElement:
    """A sample of mmseg with two classes."""
    sample = BaseDataElement(metainfo={"img_path": "train/7.jpg"})
    sample.seg_logits = PixelData(data=torch.full((2, 4, 4), value))
    return sample


def label(value: float) -> BaseDataElement:
    """A sample of mmpretrain with three classes."""
    sample = BaseDataElement(metainfo={"img_path": "train/7.jpg"})
    sample.pred_score = torch.tensor([0.5, value, 0.2])
    return sample


@pytest.mark.parametrize("stage", ["after_val_iter", "after_test_iter"])
@pytest.mark.parametrize("sample", [pose, mask, label])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_predictions_that_are_no_numbers_are_refused(stage, sample, value):
    with pytest.raises(CheckpointError, match=r"of train/7\.jpg: found values that are not finite") as error:
        getattr(FinitePredictionsHook(), stage)(None, 0, None, [sample(1.0), sample(value)])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("sample", [pose, mask, label])
def test_numbers_pass(sample):
    FinitePredictionsHook().after_test_iter(None, 0, None, [sample(1.0), sample(-3.5)])


def test_what_the_frameworks_give_is_looked_at():
    from mmpose.structures import PoseDataSample
    from mmseg.structures import SegDataSample

    person = PoseDataSample()
    person.pred_instances = InstanceData(keypoints=np.full((1, 17, 2), np.nan))
    labels = SegDataSample()
    labels.seg_logits = PixelData(data=torch.full((2, 4, 4), float("nan")))
    for sample in (person, labels):
        with pytest.raises(CheckpointError):
            FinitePredictionsHook().after_val_iter(None, 0, None, [sample])
