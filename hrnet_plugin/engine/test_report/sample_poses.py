"""Predictions and truth of a test from its samples, for metrics that compare each sample by itself (PCK, NME)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...analysis.pose_figures import PosePicture
from .coco_poses import BOX_SHARE
from .pose_scales import ErrorScale


def picture_of(sample: Any, scale: ErrorScale | None) -> PosePicture | None:
    """What one sample of mmpose says of its image; None where it holds no truth.

    Args:
        sample: With `gt_instances` and `pred_instances` in pixels of the image.
        scale: By what errors are divided.
    """
    truth, found = sample.gt_instances, sample.pred_instances
    if not has_truth(sample):
        return None
    places = np.asarray(truth["keypoints"], np.float64)[..., :2]
    visible = np.asarray(truth["keypoints_visible"], np.float64)
    visible = visible[..., 0] if visible.ndim == 3 else visible
    boxes = _boxes(truth, places, visible)
    poses = np.concatenate(
        [np.asarray(found["keypoints"])[..., :2], np.asarray(found["keypoint_scores"])[..., None]], -1, dtype=np.float32
    )
    if scale is not None:
        poses[..., :2] += scale.shift
    boxes_scores = np.asarray(truth["bbox_scores"]) if "bbox_scores" in truth else np.ones(len(places))
    alone = len(poses) == len(places)
    return PosePicture(
        path=str(sample.metainfo.get("img_path", "")),
        predicted=poses,
        scores=poses[..., 2].mean(1) * (boxes_scores if alone else 1.0),
        truth=np.concatenate([places, visible[..., None]], -1),
        areas=_areas(sample.metainfo.get("raw_ann_info"), boxes),
        boxes=boxes,
        crowds=np.zeros(len(places), bool),
        names=[str(sample.metainfo.get("id", ""))] * len(places),
        own=np.arange(len(poses)) if alone else None,
        scales=np.array([scale.of(truth)]) if scale is not None and alone and len(places) == 1 else None,
    )


def has_truth(sample: Any) -> bool:
    """Whether a sample holds true keypoints: one that was cut out by a detected box has zeros for them."""
    truth = sample.gt_instances
    return "keypoints" in truth and bool(np.asarray(truth["keypoints"]).any())


def by_image(pictures: Iterable[PosePicture]) -> list[PosePicture]:
    """Joins what the samples of the same image say, since persons may be taken for each other."""
    groups: dict[str, list[PosePicture]] = {}
    for number, picture in enumerate(pictures):
        groups.setdefault(picture.path or f"#{number}", []).append(picture)
    return [_joined(group) if len(group) > 1 else group[0] for group in groups.values()]


def _joined(group: list[PosePicture]) -> PosePicture:
    starts = np.cumsum([0, *(len(one.truth) for one in group)])
    arrays = {
        name: np.concatenate([getattr(one, name) for one in group])
        for name in ("predicted", "scores", "truth", "areas", "boxes", "crowds")
    }
    known = all(one.own is not None for one in group)
    scaled = all(one.scales is not None for one in group)
    return replace(
        group[0],
        **arrays,
        names=[name for one in group for name in one.names],
        own=np.concatenate([one.own + start for one, start in zip(group, starts, strict=False)]) if known else None,
        scales=np.concatenate([one.scales for one in group]) if scaled else None,
    )


def _boxes(truth: Mapping[str, Any], places: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(T, 4) x, y, width, height: as annotated, else around the labelled keypoints."""
    if "bboxes" in truth and len(truth["bboxes"]) == len(places):
        corners = np.asarray(truth["bboxes"], np.float64)[:, :4]
        return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    shown = np.where(visible[..., None] > 0, places, np.nan)
    start, end = np.nanmin(shown, 1), np.nanmax(shown, 1)
    return np.nan_to_num(np.concatenate([start, end - start], 1))


def _areas(annotation: Any, boxes: np.ndarray) -> np.ndarray:
    entries = annotation if isinstance(annotation, list) else [annotation]
    if len(entries) == len(boxes) and all(isinstance(one, Mapping) and one.get("area") for one in entries):
        return np.array([float(one["area"]) for one in entries])
    return boxes[:, 2:].prod(1) * BOX_SHARE
