"""Images to predictions: the same call for every runtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..decoding import HeatmapDecoding, decode_heatmaps
from ..errors import ConfigError, DataError
from .description import NetworkDescription
from .exporting.shape import MULTIPLE, InputShape
from .predictions import ClassPrediction, PosePrediction, Prediction, SegmentationPrediction
from .preparing import cut_out, read_image, resize, to_tensor, whole_or_middle
from .runtimes.base import Runtime, cached_batch
from .tiles import tiled

Image = str | Path | np.ndarray


class Predictor:
    """A network that reads images and gives keypoints, label maps or classes.

    Args:
        runtime: What computes the network.
        description: Of the network; it alone says how images are prepared and outputs are read.
        batch: How many crops are computed at once.

    Raises:
        ConfigError: a network whose outputs are not read here, such as a bottom-up one.

    Example:
        >>> predictor = hrnet_plugin.load("hrnet_w32_coco.onnx")  # doctest: +SKIP
        >>> predictor("street.jpg", boxes=[[10, 20, 110, 320]])[0].keypoints.shape  # doctest: +SKIP
        (1, 17, 2)
    """

    def __init__(self, runtime: Runtime, description: NetworkDescription, batch: int = 32):
        check_readable(description)
        readers = {"pose": self._pose, "segmentation": self._segmentation, "classification": self._classification}
        self.runtime = runtime
        self.description = description
        self.batch = batch if description.batch is None else description.batch
        self._read = readers[description.task]

    def __call__(
        self,
        images: Image | Sequence[Image],
        boxes: Sequence | np.ndarray | None = None,
        *,
        flip_test: bool | None = None,
    ) -> list[Prediction]:
        """Predicts.

        Args:
            images: A path or (H, W, 3) BGR array of 8 bits, or several.
            boxes: Pose: for one image its persons' boxes (P, 4), x1, y1, x2, y2 in pixels; for several a list of such.
                None takes each whole image for one person.
            flip_test: Pose: average with the mirrored image; None as the config does.

        Returns:
            One prediction an image.

        Raises:
            DataError: an image or box that cannot be used.
            ConfigError: images that do not fit a fixed-size export, or a flip test where nobody says which keypoints
                change places.
        """
        single = isinstance(images, (str, Path)) or (isinstance(images, np.ndarray) and images.ndim != 4)
        several = [images] if single else _listed(images, "images", "a path, an array, or a list of them")
        read = [read_image(image) for image in several]
        if self.description.task != "pose":
            return [self._read(image) for image in read]
        if single:
            per_image = [boxes]
        elif boxes is None:
            per_image = [None] * len(read)
        else:
            per_image = _listed(boxes, "boxes", "a list, one set an image")
        if len(per_image) != len(read):
            raise DataError(
                "boxes", found=f"those of {len(per_image)} images", expected=f"{len(read)}, one set an image"
            )
        flips = bool(self.description.test_cfg.get("flip_test")) if flip_test is None else flip_test
        return [self._read(image, one, flips) for image, one in zip(read, per_image, strict=True)]

    def _pose(self, image: np.ndarray, boxes: Sequence | None, flips: bool) -> PosePrediction:
        boxes = _checked_boxes(boxes, image)
        names = self.description.keypoint_names
        crops = [cut_out(image, box, self.description) for box in boxes]
        if not crops:
            nothing = np.zeros((0, len(names)), np.float32)
            return PosePrediction(np.zeros((0, len(names), 2), np.float32), nothing, boxes, names)
        inputs = to_tensor([crop.pixels for crop in crops], self.description)
        heatmaps = self._run(inputs)
        if flips:
            heatmaps = 0.5 * (heatmaps + self._mirrored(self._run(inputs.flip(-1))))
        keypoints, scores = decode_heatmaps(heatmaps, self._decoding())
        scale, centre = np.stack([crop.scale for crop in crops]), np.stack([crop.centre for crop in crops])
        corner = (centre - 0.5 * scale)[:, None]
        keypoints = keypoints / np.array(self.description.crop_size) * scale[:, None] + corner
        return PosePrediction(keypoints.astype(np.float32), scores, boxes, names)

    def _decoding(self) -> HeatmapDecoding:
        codec = self.description.codec
        method = "udp" if codec.get("type") == "UDPHeatmap" else "dark" if codec.get("unbiased") else "plain"
        return HeatmapDecoding(method, self.description.crop_size, codec.get("blur_kernel_size", 11))

    def _mirrored(self, heatmaps: Tensor) -> Tensor:
        """Heatmaps of mirrored images, as those of the images themselves."""
        pairs = list(self.description.flip_indices)
        if len(pairs) != heatmaps.shape[1]:
            raise ConfigError(
                "flip test",
                found=f"counterparts of {len(pairs)} keypoints for {heatmaps.shape[1]} heatmaps",
                expected="one each",
                do="Give the config's data set its metainfo, or call with flip_test=False",
            )
        heatmaps = heatmaps.flip(-1)[:, pairs]
        if self.description.test_cfg.get("shift_heatmap"):
            heatmaps[..., 1:] = heatmaps[..., :-1].clone()
        return heatmaps

    def _segmentation(self, image: np.ndarray) -> SegmentationPrediction:
        inputs = to_tensor([resize(image, self.description)], self.description)
        testing = self.description.test_cfg
        if testing.get("mode") == "slide":
            logits = tiled(inputs, self._logits, tuple(testing["crop_size"]), tuple(testing["stride"]))
        else:
            logits = self._logits(inputs)
        if inputs.shape[2:] != image.shape[:2]:
            corners = self.description.align_corners
            logits = functional.interpolate(logits, size=image.shape[:2], mode="bilinear", align_corners=corners)
        if logits.shape[1] > 1:
            labels = logits.argmax(1)[0]
        else:
            labels = (logits[0, 0].sigmoid() > self.description.threshold).long()
        return SegmentationPrediction(
            labels.numpy().astype(np.uint8 if logits.shape[1] <= 256 else np.uint16),
            self.description.classes,
            self.description.palette,
        )

    def _logits(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, classes, H, W), for an image or a tile of one."""
        padded = self._filled_up(images)
        logits = self._run(padded)
        # What belongs to the image, as many rows and columns as its own size has: so that none of them is moved.
        rows, columns = (-(-images.shape[dim] * logits.shape[dim] // padded.shape[dim]) for dim in (2, 3))
        corners = self.description.align_corners
        return functional.interpolate(
            logits[:, :, :rows, :columns], size=images.shape[2:], mode="bilinear", align_corners=corners
        )

    def _filled_up(self, images: Tensor) -> Tensor:
        """What is added is of the mean, as with normalised images, which are filled up with 0."""
        if not self.description.normalised_inside:
            return _padded(images, self.runtime.shape)
        mean = torch.tensor(self.description.mean).view(1, -1, 1, 1)
        if self.description.channel_order == "rgb":
            mean = mean.flip(1)  # pixels come as BGR
        return _padded(images - mean, self.runtime.shape) + mean

    def _classification(self, image: np.ndarray) -> ClassPrediction:
        inputs = to_tensor([whole_or_middle(image, self.description)], self.description)
        return ClassPrediction(self._run(inputs).softmax(1)[0].numpy(), self.description.classes)

    def _run(self, inputs: Tensor) -> Tensor:
        """The last output for any number of inputs."""
        return self.runtime.in_batches(inputs, min(self.batch, cached_batch(inputs)))[-1]


def check_readable(description: NetworkDescription) -> None:
    """Raises:
    ConfigError: a network whose outputs are not read here, or whose images are not prepared here.
    """
    if description.preparing.get("unread"):
        raise ConfigError(
            f"predictor for {description.name or 'this network'}",
            found=description.preparing["unread"],
            expected="Resize to one size alone, or ResizeEdge and CenterCrop",
            do="Use `hrnet test`, which runs the pipeline itself",
        )
    if description.task == "features":
        raise ConfigError(
            f"predictor for {description.name or 'this network'}",
            found="outputs that only its framework reads",
            expected="a top-down heatmap, segmentation or classification network",
            do="Use `hrnet test`, with any --runtime",
        )


def _listed(given: object, what: str, expected: str) -> list:
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise DataError(what, found=f"{given!r:.80}", expected=expected)
    return list(given)


def _checked_boxes(boxes: Sequence | np.ndarray | None, image: np.ndarray) -> np.ndarray:
    if boxes is None:
        return np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
    try:
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


def _padded(images: Tensor, shape: InputShape | None) -> Tensor:
    """Images that an export takes, grown to the right and below: to multiples of 32 for one of free size."""
    if shape is None:
        return images
    if shape.dynamic_size:
        width, height = (max(2, -(-size // MULTIPLE)) * MULTIPLE for size in (images.shape[3], images.shape[2]))
    else:
        width, height = (max(pair) for pair in zip(shape.size, (images.shape[3], images.shape[2]), strict=True))
    return functional.pad(images, (0, width - images.shape[3], 0, height - images.shape[2]))
