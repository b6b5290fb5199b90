"""Means, deviations and the order of colours."""

from __future__ import annotations

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
BOX = "model.data_preprocessor"
STEP = "train_dataloader.dataset.pipeline.3"


@pytest.mark.parametrize(
    ("base", "change", "where"),
    [
        (POSE, {BOX: "(gone)"}, BOX),
        (POSE, {f"{BOX}.type": "mmseg.SegDataPreProcessor"}, f"{BOX}.type"),
        (SEG, {f"{BOX}.std": [58.0, 57.0]}, f"{BOX}.std"),
        (SEG, {"model.backbone.in_channels": 4}, f"{BOX}.mean"),
        (SEG, {"model.backbone.in_channels": 1}, f"{BOX}.mean"),
    ],
)
def test_the_frameworks_stop_at(planted, base, change, where):
    assert planted(base, change, "normalisation", where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "where", "level"),
    [
        (POSE, {f"{BOX}.mean": [0.485, 0.456, 0.406], f"{BOX}.std": [0.229, 0.224, 0.225]}, f"{BOX}.std", ERROR),
        (POSE, {f"{BOX}.mean": [0.485, 0.456, 0.406]}, f"{BOX}.mean", ERROR),
        (POSE, {f"{BOX}.bgr_to_rgb": False}, f"{BOX}.bgr_to_rgb", ERROR),
        (POSE, {f"{BOX}.mean": [103.53, 116.28, 123.675]}, f"{BOX}.bgr_to_rgb", ERROR),
        (POSE, {f"{BOX}.std": [58.0, 0, 57.0]}, f"{BOX}.std", ERROR),
        (SEG, {STEP: {"type": "Normalize", "mean": [123.0] * 3, "std": [58.0] * 3}}, STEP, ERROR),
        (SEG, {f"{BOX}.mean": None, f"{BOX}.std": None}, f"{BOX}.mean", NOTE),
        (SEG, {f"{BOX}.mean": [0, 0, 0], f"{BOX}.std": [1, 1, 1]}, f"{BOX}.std", NOTE),
    ],
)
def test_the_frameworks_say_nothing_of(planted, base, change, where, level):
    assert planted(base, change, "normalisation", where).level == level


class _OpensImages:
    """A step of somebody's own, which may give red first."""

    def __call__(self, results: dict) -> dict:
        return results


def test_who_opens_images_oneself_knows_their_colours(changed):
    splits = ("train", "val", "test")
    steps = {f"{split}_dataloader.dataset.pipeline.0": {"type": _OpensImages} for split in splits}
    assert check_config(changed(SEG, {**steps, f"{BOX}.bgr_to_rgb": False})) == []


@pytest.mark.parametrize(
    "change",
    [
        {f"{BOX}.mean": [103.53, 116.28, 123.675], f"{BOX}.bgr_to_rgb": False},
        {f"{BOX}.mean": [103.53, 116.28, 123.675], f"{BOX}.std": [1.0, 1.0, 1.0], f"{BOX}.bgr_to_rgb": False},
        {f"{BOX}.mean": [0, 0, 0], f"{BOX}.std": [255, 255, 255]},
        {f"{BOX}.mean": [110.0], f"{BOX}.std": [60.0], "model.backbone.in_channels": 1},
    ],
)
def test_other_numbers_may_be_meant(changed, change):
    assert check_config(changed(SEG, change)) == []
