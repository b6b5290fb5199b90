"""One sample as a network gets it, in plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PoseTargets:
    """N poses of K keypoints in the network's input, and what is to be predicted.

    Args:
        keypoints: (N, K, 2) x, y in its pixels.
        visible: (N, K) bool: labelled.
        weights: (N, K): what each counts in the loss.
        heatmaps: (C, h, w), the finest where there are several; None where there are none.
        counted: (h, w) bool: where the loss counts; None for everywhere.
        levels: How many resolutions of heatmaps there are.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    weights: np.ndarray
    heatmaps: np.ndarray | None = None
    counted: np.ndarray | None = None
    levels: int = 0

    @property
    def counts(self) -> np.ndarray:
        """(N, K) bool: has a weight."""
        return self.weights > 0


@dataclass(frozen=True)
class Sample:
    """What the network gets of one image, and where in the image it is.

    Args:
        path: The image file; empty where the pipeline names none.
        pixels: (H, W, 3) uint8 RGB: the input with its normalisation taken back.
        least, most: Of the values that the network computes with.
        channels: `RGB` or `BGR`, as the network gets them.
        outline: (4, 2) corners of the input in the image file; None where the pipeline does not tell.
        boxes: (B, 4) x, y, width, height of the annotations, or of a detected person, in the image file.
        pose: Keypoints and heatmaps, for pose.
        labels: (H, W) class indices, for segmentation.
        input_boxes: (B, 4) x, y, width, height in the input, for detection.
        classes: Numbers of the classes of `input_boxes`, or of the image.
    """

    path: str
    pixels: np.ndarray
    least: float
    most: float
    channels: str
    outline: np.ndarray | None = None
    boxes: np.ndarray | None = None
    pose: PoseTargets | None = None
    labels: np.ndarray | None = None
    input_boxes: np.ndarray | None = None
    classes: tuple[int, ...] = ()

    @property
    def size(self) -> str:
        """Width and height of the input."""
        return f"{self.pixels.shape[1]}x{self.pixels.shape[0]}"
