"""Persons cut out of images, and the keypoints that a network finds in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from torch import Tensor

from ..decoding import HeatmapDecoding, decode_heatmaps
from ..errors import ConfigError, DataError
from .description import NetworkDescription
from .predictions import PosePrediction
from .preparing import Crop, cut_out, to_tensor


class TopDown:
    """Reads the heatmaps of single persons.

    Args:
        description: Of a pose network.
        run: Takes (N, C, H, W) to heatmaps (N, K, h, w), for any N.
    """

    def __init__(self, description: NetworkDescription, run: Callable[[Tensor], Tensor]):
        self.description, self._run = description, run

    def predict(
        self, images: Iterable[np.ndarray], boxes: Iterable[Sequence | np.ndarray | None], flips: bool
    ) -> list[PosePrediction]:
        """The persons of some images, all of whose crops are computed together.

        Args:
            images: (H, W, 3) each; not kept.
            boxes: Those of each, (P, 4); None for the whole image.
            flips: Average with the mirrored crops.

        Raises:
            DataError: a box that is none.
            ConfigError: a flip test where nobody says which keypoints change places.
        """
        counted, crops = [], []
        for image, given in zip(images, boxes, strict=True):
            checked = _checked_boxes(given, image)
            counted.append(checked)
            crops += [cut_out(image, box, self.description) for box in checked]
        keypoints, scores = self._computed(crops, flips)
        ends = np.cumsum([len(one) for one in counted])[:-1]
        parts = zip(np.split(keypoints, ends), np.split(scores, ends), counted, strict=True)
        names, skeleton = self.description.keypoint_names, self.description.skeleton
        return [PosePrediction(*part, names, skeleton) for part in parts]

    def _computed(self, crops: list[Crop], flips: bool) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints (N, K, 2) in pixels of the images, and scores (N, K)."""
        if not crops:
            count = len(self.description.keypoint_names)
            return np.zeros((0, count, 2), np.float32), np.zeros((0, count), np.float32)
        inputs = to_tensor([crop.pixels for crop in crops], self.description)
        heatmaps = self._run(inputs)
        if flips:
            heatmaps = 0.5 * (heatmaps + self._mirrored(self._run(inputs.flip(-1))))
        keypoints, scores = decode_heatmaps(heatmaps, self._decoding())
        scale, centre = np.stack([crop.scale for crop in crops]), np.stack([crop.centre for crop in crops])
        corner = (centre - 0.5 * scale)[:, None]
        keypoints = keypoints / np.array(self.description.crop_size) * scale[:, None] + corner
        return keypoints.astype(np.float32), scores

    def _decoding(self) -> HeatmapDecoding:
        codec = self.description.codec
        method = "udp" if codec.get("type") == "UDPHeatmap" else "dark" if codec.get("unbiased") else "plain"
        return HeatmapDecoding(method, self.description.crop_size, codec.get("blur_kernel_size", 11))

    def _mirrored(self, heatmaps: Tensor) -> Tensor:
        """Heatmaps of mirrored images, as those of the images themselves."""
        check_counterparts(self.description, heatmaps.shape[1])
        heatmaps = heatmaps.flip(-1)[:, list(self.description.flip_indices)]
        if self.description.test_cfg.get("shift_heatmap"):
            heatmaps[..., 1:] = heatmaps[..., :-1].clone()
        return heatmaps


def check_counterparts(description: NetworkDescription, heatmaps: int) -> None:
    """Whether a flip test can be made.

    Args:
        description: Of a pose network.
        heatmaps: How many it computes.

    Raises:
        ConfigError: nobody says which keypoints change places in a mirrored image.
    """
    known = len(description.flip_indices)
    if known != heatmaps:
        raise ConfigError(
            "flip test",
            found=f"counterparts of {known} keypoints for {heatmaps} heatmaps",
            expected="one each",
            do="Give the config's data set its metainfo, or make none: --no-flip-test, in Python flip_test=False",
        )


def _checked_boxes(boxes: Sequence | np.ndarray | None, image: np.ndarray) -> np.ndarray:
    if boxes is None:
        return np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
    try:
        with np.errstate(over="ignore"):  # it becomes infinite, which is refused below
            checked = np.asarray(boxes, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError("boxes", found=f"{boxes!r:.80}", expected="(P, 4) numbers: x1, y1, x2, y2") from error
    checked = checked.reshape(0, 4) if not checked.size else checked
    if checked.ndim != 2 or checked.shape[1] != 4:
        raise DataError("boxes", found=f"shape {checked.shape}", expected="(P, 4): x1, y1, x2, y2")
    wrong = ~((checked[:, 2:] > checked[:, :2]).all(axis=1) & np.isfinite(checked).all(axis=1))
    if wrong.any():
        raise DataError(
            "boxes", found=f"{checked[wrong][0].tolist()}", expected="x1, y1, x2, y2 with x2 > x1 and y2 > y1"
        )
    return checked
