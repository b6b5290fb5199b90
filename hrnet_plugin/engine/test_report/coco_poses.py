"""Predictions and truth of a test as mmpose's COCO metric compares them, rescored and after its suppression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator

from ...analysis.pose_figures import PosePicture

#: Where the annotations of whole bodies hold their keypoints, in the order in which they are predicted.
_PARTS = ("keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts")
#: What mmpose and COCO's tools take for the share of a box that its person covers, where there is no area.
BOX_SHARE = 0.53


@dataclass(frozen=True)
class _Predicted:
    """The predictions of one image: (P, K, 3), (P,), and for each the numbers of its sample and its category."""

    poses: np.ndarray
    scores: np.ndarray
    samples: list
    categories: np.ndarray


class CocoRecord:
    """Keeps what the metric writes down to be evaluated. On ranks but the first it writes nothing.

    Args:
        metric: mmpose's `CocoMetric`, or one made of it.
    """

    def __init__(self, metric: Any):
        self._metric = metric
        self.predicted: dict[Any, _Predicted] | None = None
        write = metric.results2json

        def keep_and_write(keypoints: Mapping[Any, list[dict]], *args: Any, **kwargs: Any) -> Any:
            self.predicted = {image: _packed(people) for image, people in keypoints.items() if people}
            return write(keypoints, *args, **kwargs)

        metric.results2json = keep_and_write

    @property
    def has_truth(self) -> bool:
        """Whether there are annotations to compare with."""
        return self._metric.coco is not None and bool(self._metric.coco.anns) and not self._metric.format_only

    @property
    def areas(self) -> str:
        """What the areas of the persons are, as a sentence."""
        return "Areas are those of the annotations." if self._metric.use_area else _OF_BOXES

    def pictures(self, paths: Mapping[Any, str], own: bool) -> Iterator[PosePicture]:
        """The images that were tested.

        Args:
            paths: Their files by the evaluator's numbers.
            own: Samples are named after the annotations that they were cut out by.
        """
        coco = self._metric.coco
        for image in coco.getImgIds():
            people = [ann for ann in coco.imgToAnns.get(image, ()) if "keypoints" in ann]
            found = self.predicted.get(image) if self.predicted else None
            if not people and found is None:
                continue
            path = paths.get(image, coco.imgs[image].get("file_name", image))
            yield from self._by_category(str(path), people, found, own)

    def _by_category(self, path: str, people: list[dict], found: _Predicted | None, own: bool) -> Iterator[PosePicture]:
        """COCO compares within a category; there is but one of persons, and one a species of animals."""
        predicted = [] if found is None else found.categories
        for category in sorted({ann["category_id"] for ann in people} | set(map(int, predicted))):
            yield self._picture(path, [ann for ann in people if ann["category_id"] == category], found, category, own)

    def _picture(
        self, path: str, people: list[dict], found: _Predicted | None, category: int, own: bool
    ) -> PosePicture:
        keypoints = self._metric.dataset_meta["num_keypoints"]
        truth = np.array([_flat(ann, keypoints) for ann in people], np.float64).reshape(-1, keypoints, 3)
        boxes = np.array([ann["bbox"] for ann in people], np.float64).reshape(-1, 4)
        use_area = self._metric.use_area and all("area" in ann for ann in people)
        areas = np.array([ann["area"] for ann in people]) if use_area else boxes[:, 2:].prod(1) * BOX_SHARE
        chosen = np.flatnonzero(found.categories == category) if found else np.zeros(0, int)
        place = {ann["id"]: index for index, ann in enumerate(people)}
        return PosePicture(
            path=path,
            predicted=found.poses[chosen] if found else np.zeros((0, keypoints, 3)),
            scores=found.scores[chosen] if found else np.zeros(0),
            truth=truth,
            areas=areas.astype(np.float64),
            boxes=boxes,
            crowds=np.array([bool(ann.get("iscrowd", 0)) for ann in people], bool),
            names=[str(ann["id"]) for ann in people],
            own=np.array([place.get(found.samples[index], -1) for index in chosen], int) if own else None,
        )


_OF_BOXES = f"Areas are {BOX_SHARE} of the boxes, since the annotations have none."


def coco_record(evaluator: Evaluator) -> CocoRecord | None:
    """A record of the evaluator's COCO metric; None where it has none."""
    for metric in evaluator.metrics:
        if hasattr(metric, "results2json") and hasattr(metric, "coco") and hasattr(metric, "use_area"):
            return CocoRecord(metric)
    return None


def _packed(people: list[dict]) -> _Predicted:
    return _Predicted(
        poses=np.array([one["keypoints"] for one in people], np.float32),
        scores=np.array([one["score"] for one in people], np.float64),
        samples=[one["id"] for one in people],
        categories=np.array([_first(one["category_id"]) for one in people]),
    )


def _first(category: Any) -> int:
    values = np.ravel(category)
    return int(values[0]) if len(values) else 1


def _flat(ann: Mapping[str, Any], keypoints: int) -> np.ndarray:
    values = np.concatenate([np.asarray(ann[part], np.float64) for part in _PARTS if part in ann])
    return values[: keypoints * 3]
