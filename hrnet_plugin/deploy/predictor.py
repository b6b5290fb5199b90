"""Images to predictions: the same call for every runtime."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, DataError
from .classifying import Classifying
from .description import NetworkDescription
from .predictions import Prediction
from .preparing import read_image
from .runtimes.base import Runtime, cached_batch, cached_images
from .segmenting import Segmenting
from .topdown import TopDown

Image = str | Path | np.ndarray


class Predictor:
    """A network that reads images and gives keypoints, label maps or classes.

    Args:
        runtime: What computes the network.
        description: Of the network; it alone says how images are prepared and outputs are read.
        batch: How many crops are computed at once, of one image or of several.
        device: On which the network lies; images are brought there.

    Raises:
        ConfigError: a network whose outputs are not read here, such as a bottom-up one.

    Example:
        >>> predictor = hrnet_plugin.load("hrnet_w32_coco.onnx")  # doctest: +SKIP
        >>> predictor("street.jpg", boxes=[[10, 20, 110, 320]])[0].keypoints.shape  # doctest: +SKIP
        (1, 17, 2)
    """

    def __init__(
        self,
        runtime: Runtime,
        description: NetworkDescription,
        batch: int = 32,
        device: str | torch.device = "cpu",
    ):
        check_readable(description)
        self.runtime = runtime
        self.description = description
        self.batch = batch if description.batch is None else description.batch
        self.device = torch.device(device)
        self._topdown = TopDown(description, self._run)
        self._classifying = Classifying(description, self._run)
        self._segmenting = Segmenting(description, self._run, self._most, runtime)

    def __call__(
        self,
        images: Image | Sequence[Image],
        boxes: Sequence | np.ndarray | None = None,
        *,
        flip_test: bool | None = None,
    ) -> list[Prediction]:
        """Predicts; crops of several images are computed together, and images are read as they are needed.

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
        per_image = self._boxes_of(several, boxes, single)
        flips = bool(self.description.test_cfg.get("flip_test")) if flip_test is None else flip_test
        found: list[Prediction] = []
        for start in range(0, len(several), self.batch):
            part = slice(start, start + self.batch)
            found += self._together(map(read_image, several[part]), per_image[part], flips)
        return found

    def _boxes_of(self, images: list, boxes: Sequence | np.ndarray | None, single: bool) -> list:
        if boxes is None or self.description.task != "pose":
            return [None] * len(images)
        per_image = [boxes] if single else _listed(boxes, "boxes", "a list, one set an image")
        if len(per_image) != len(images):
            raise DataError(
                "boxes", found=f"those of {len(per_image)} images", expected=f"{len(images)}, one set an image"
            )
        return per_image

    def _together(self, images: Iterator[np.ndarray], boxes: list, flips: bool) -> Sequence[Prediction]:
        if self.description.task == "pose":
            return self._topdown.predict(images, boxes, flips)
        task = self._segmenting if self.description.task == "segmentation" else self._classifying
        return task.predict(images)

    def _most(self, pixels: int) -> int:
        """How many images of so many pixels are computed at once."""
        return min(self.batch, cached_images(pixels)) if self.device.type == "cpu" else self.batch

    def _run(self, inputs: Tensor) -> Tensor:
        """The last output for any number of inputs."""
        inputs = inputs.to(self.device)
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
    if len(description.mean) not in (0, 1, 3):
        raise ConfigError(
            f"predictor for {description.name or 'this network'}",
            found=f"images of {len(description.mean)} channels",
            expected="3, or 1 of greys",
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
