"""By what mmpose's metrics divide the errors of keypoints, so that a table of keypoints agrees with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator

BOX, HEAD = "box size", "head size"


@dataclass(frozen=True)
class ErrorScale:
    """How a metric scales errors.

    Args:
        name: Of what it divides by, as a reader knows it.
        item: The name of that in the samples' `gt_instances`; None where it is a distance of keypoints.
        ends: Two keypoints whose true distance it is, or None.
        threshold: Below which scaled error a keypoint counts as correct, or None.
        shift: What the metric adds to predictions, in pixels.
    """

    name: str
    item: str | None = None
    ends: tuple[int, int] | None = None
    threshold: float | None = None
    shift: float = 0.0

    def of(self, truth: Mapping[str, Any]) -> float:
        """By what errors of a person are divided, in pixels.

        Args:
            truth: `gt_instances` of its sample.
        """
        if self.ends is not None:
            first, second = (np.asarray(truth["keypoints"])[0, end] for end in self.ends)
            return float(np.linalg.norm(first - second))
        if self.item == "bboxes":
            box = np.asarray(truth["bboxes"])[0]
            return float(np.max(box[2:] - box[:2]))
        return float(np.ravel(truth[self.item])[0])


def error_scale(evaluator: Evaluator) -> ErrorScale | None:
    """How the first metric of mmpose that divides errors does it; None where the evaluator has none."""
    for metric in evaluator.metrics:
        kinds = {kind.__name__ for kind in type(metric).__mro__}
        if "PCKAccuracy" in kinds:
            return _of_pck(metric, kinds)
        if "NME" in kinds:
            return _of_nme(metric)
    return None


def _of_pck(metric: Any, kinds: set[str]) -> ErrorScale:
    # The metric of MPII counts pixels from one.
    shift = 1.0 if "MpiiPCKAccuracy" in kinds else 0.0
    item = metric.norm_item[0]
    if item == "torso":
        return ErrorScale(_between(4, 5), ends=(4, 5), threshold=metric.thr, shift=shift)
    name, entry = (BOX, "bboxes") if item == "bbox" else (HEAD, "head_size")
    return ErrorScale(name, item=entry, threshold=metric.thr, shift=shift)


def _of_nme(metric: Any) -> ErrorScale | None:
    if metric.norm_mode == "use_norm_item":
        box = metric.norm_item == "bbox_size"
        return ErrorScale(BOX if box else metric.norm_item.replace("_", " "), "bboxes" if box else metric.norm_item)
    ends = metric.keypoint_indices
    if ends is None:
        ends = metric.DEFAULT_KEYPOINT_INDICES.get((metric.dataset_meta or {}).get("dataset_name"))
    return None if ends is None else ErrorScale(_between(*ends), ends=(ends[0], ends[1]))


def _between(first: int, second: int) -> str:
    return f"distance of keypoints {first} and {second}"
