"""Predictions as plain values, a record for each image or frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..deploy.predictions import ClassPrediction, PosePrediction, Prediction, SegmentationPrediction
from .persons import PERSON, Persons

#: Places behind the point: thousandths of a pixel, millionths of a score.
_PIXELS, _SCORES = 3, 6
#: A keypoint counts in its person's score from here on, as mmpose's CocoMetric has it.
_COUNTS = 0.2


class Records(Sequence[dict]):
    """Records kept as lines of JSON, which take a tenth of the memory; each is read when it is asked for.

    Args:
        lines: One record each.
    """

    def __init__(self, lines: Sequence[bytes] = ()):
        self._lines = list(lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return json.loads(self._lines[index])

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one."""
        self._lines.append(json.dumps(record, separators=(",", ":")).encode())


def record_of(prediction: Prediction, size: tuple[int, int], persons: Persons | None, top: int) -> dict[str, Any]:
    """What is kept of a prediction; label maps are files of their own.

    Args:
        prediction: Of one image.
        size: (width, height) of the image.
        persons: Whose poses they are.
        top: How many classes are kept.
    """
    record: dict[str, Any] = {"width": size[0], "height": size[1]}
    if isinstance(prediction, PosePrediction):
        return {**record, "image_id": persons.image_id if persons else None, "persons": _poses(prediction, persons)}
    if isinstance(prediction, SegmentationPrediction):
        return {**record, "shares": _shares(prediction)}
    return {**record, "classes": _classes(prediction, top)}


def person_score(box_score: float, scores: np.ndarray) -> float:
    """How sure a pose is: that of its box times the mean over the keypoints that were found, as mmpose ranks poses.

    Args:
        box_score: 0 to 1.
        scores: (K,) of its keypoints.
    """
    found = scores[scores > _COUNTS]
    return float(box_score * found.mean()) if len(found) else 0.0


def _poses(prediction: PosePrediction, persons: Persons | None) -> list[dict[str, Any]]:
    count = len(prediction.keypoints)
    box_scores = (persons and persons.scores) or (1.0,) * count
    categories = (persons and persons.categories) or (PERSON["id"],) * count
    return [
        {
            "box": [round(float(value), _PIXELS) for value in prediction.boxes[index]],
            "box_score": round(box_scores[index], _SCORES),
            "category_id": categories[index],
            "score": round(person_score(box_scores[index], prediction.scores[index]), _SCORES),
            "keypoints": [
                [*(round(float(value), _PIXELS) for value in place), round(float(score), _SCORES)]
                for place, score in zip(prediction.keypoints[index], prediction.scores[index], strict=True)
            ],
        }
        for index in range(count)
    ]


def _shares(prediction: SegmentationPrediction) -> list[list]:
    """The classes that occur, by index, with their shares of the pixels; the largest first."""
    counts = np.bincount(prediction.labels.ravel())
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda index: -counts[index])
    return [[index, round(float(counts[index] / prediction.labels.size), _SCORES)] for index in order]


def _classes(prediction: ClassPrediction, top: int) -> list[list]:
    order = np.argsort(-prediction.scores, kind="stable")[:top].tolist()
    return [[index, round(float(prediction.scores[index]), _SCORES)] for index in order]
