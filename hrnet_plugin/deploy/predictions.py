"""What a predictor gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..analysis.skeleton import Skeleton


@dataclass(frozen=True)
class PosePrediction:
    """The persons of one image.

    Args:
        keypoints: (P, K, 2), x and y in pixels of the image.
        scores: (P, K); not positive where a keypoint was not found.
        boxes: (P, 4), x1, y1, x2, y2 in pixels, as they were given.
        names: Of the K keypoints.
        skeleton: How they are drawn.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    names: tuple[str, ...]
    skeleton: Skeleton | None = None


@dataclass(frozen=True)
class SegmentationPrediction:
    """The classes of one image's pixels.

    Args:
        labels: (H, W) of the image's size, indices of classes.
        classes: Their names.
        palette: A colour (R, G, B) for each.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class ClassPrediction:
    """The class of one image.

    Args:
        scores: (classes,), which sum to 1.
        classes: Their names, where the data set has them.
    """

    scores: np.ndarray
    classes: tuple[str, ...]

    @property
    def label(self) -> int:
        """Index of the most likely class."""
        return int(self.scores.argmax())


Prediction = PosePrediction | SegmentationPrediction | ClassPrediction
