"""Which losses of a whole batch are the mean of those of its halves, so that several processes train as one does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

SAMPLES, KEYPOINTS, CLASSES = 8, 5, 4


def heatmaps() -> tuple[Tensor, ...]:
    """Predicted and true heatmaps, of which some keypoints are not labelled: more in the first half of the batch."""
    weights = torch.ones(SAMPLES, KEYPOINTS)
    weights[: SAMPLES // 2, 1:] = 0
    target = torch.rand(SAMPLES, KEYPOINTS, 6, 6) * weights[:, :, None, None]
    target[:, :, 2, 2] = weights  # the peaks that some losses count
    return torch.rand(SAMPLES, KEYPOINTS, 6, 6), target, weights


def combined() -> tuple[Tensor, ...]:
    """The same with two maps of offsets beside each heatmap."""
    return torch.rand(SAMPLES, 3 * KEYPOINTS, 6, 6), torch.rand(SAMPLES, 3 * KEYPOINTS, 6, 6), heatmaps()[2]


def offsets() -> tuple[Tensor, ...]:
    """Predicted and true offsets, of which a few count."""
    weights = torch.zeros(SAMPLES, KEYPOINTS)
    weights[0, 0] = weights[-3:] = 1
    return torch.rand(SAMPLES, KEYPOINTS), torch.rand(SAMPLES, KEYPOINTS), weights


def labels() -> tuple[Tensor, ...]:
    """Scores of classes and labels of pixels, of which half are ignored in the first half of the batch."""
    label = torch.randint(0, CLASSES, (SAMPLES, 6, 6))
    label[: SAMPLES // 2, :3] = 255
    return torch.randn(SAMPLES, CLASSES, 6, 6), label


def rare_classes() -> tuple[Tensor, ...]:
    """The same without ignored pixels: the second half of the batch alone shows the last class."""
    scores, label = labels()
    label = label % (CLASSES - 1)
    label[SAMPLES // 2 :, :2] = CLASSES - 1
    return scores, label


WEIGHTED = {"use_target_weight": True}
MEANS = {
    "KeypointMSELoss": ("mmpose", {"type": "KeypointMSELoss", **WEIGHTED}, heatmaps),
    "KeypointOHKMMSELoss": ("mmpose", {"type": "KeypointOHKMMSELoss", "topk": 3, **WEIGHTED}, heatmaps),
    "AdaptiveWingLoss": ("mmpose", {"type": "AdaptiveWingLoss", **WEIGHTED}, heatmaps),
    "CombinedTargetMSELoss": ("mmpose", {"type": "CombinedTargetMSELoss", **WEIGHTED}, combined),
    "CrossEntropyLoss": ("mmseg", {"type": "CrossEntropyLoss"}, labels),
}
OTHERS = {
    "of visible keypoints": ("mmpose", {"type": "FocalHeatmapLoss"}, heatmaps),
    "of offsets that count": (
        "mmpose",
        {"type": "SoftWeightSmoothL1Loss", "supervise_empty": False, **WEIGHTED},
        offsets,
    ),
    "of pixels not ignored": ("mmseg", {"type": "CrossEntropyLoss", "avg_non_ignore": True}, labels),
    "of weighted classes": ("mmseg", {"type": "CrossEntropyLoss", "class_weight": [1.0, 2.0, 3.0, 9.0]}, rare_classes),
}


def whole_and_halves(scope: str, loss: dict, values: tuple[Tensor, ...]) -> tuple[float, float]:
    """The loss of the batch, and the mean of those of its halves, in float64."""
    import tiny_runs

    tiny_runs.import_frameworks()
    from mmengine.registry import MODELS, DefaultScope

    with DefaultScope.overwrite_default_scope(scope):
        module = MODELS.build(loss)
    ignore = {"ignore_index": 255} if scope == "mmseg" else {}
    values = tuple(value.double() if value.is_floating_point() else value for value in values)
    parts = [[value[part] for value in values] for part in (slice(None), slice(0, 4), slice(4, None))]
    whole, first, second = (float(module(*part, **ignore)) for part in parts)
    return whole, (first + second) / 2


@pytest.mark.parametrize("name", MEANS)
def test_losses_that_are_means_over_samples(name):
    torch.manual_seed(0)
    scope, loss, values = MEANS[name]
    whole, halves = whole_and_halves(scope, loss, values())
    assert whole > 0
    # mmseg adds float32's epsilon, 1.2e-7, to the number of pixels that it divides by.
    assert halves == pytest.approx(whole, rel=1e-12 if scope == "mmpose" else 1e-8)


@pytest.mark.parametrize("name", OTHERS)
def test_losses_that_divide_by_what_a_process_happens_to_see(name):
    torch.manual_seed(0)
    scope, loss, values = OTHERS[name]
    whole, halves = whole_and_halves(scope, loss, values())
    assert abs(halves - whole) > 1e-3 * whole
