"""Images as a segmentation network looks at them, and the classes of their pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .description import NetworkDescription
from .exporting.shape import MULTIPLE, InputShape
from .predictions import SegmentationPrediction
from .preparing import resize, to_tensor
from .runtimes.base import Runtime
from .tiles import tiled


class Segmenting:
    """Reads logits of pixels.

    Args:
        description: Of a segmentation network.
        run: Takes (N, C, H, W) to logits (N, classes, h, w), for any N.
        most: How many images of so many pixels are computed at once.
        runtime: What computes the network; it knows where its images are limited.
    """

    def __init__(
        self,
        description: NetworkDescription,
        run: Callable[[Tensor], Tensor],
        most: Callable[[int], int],
        runtime: Runtime,
    ):
        self.description, self._run, self._most, self._runtime = description, run, most, runtime

    def predict(self, images: Iterable[np.ndarray]) -> list[SegmentationPrediction]:
        """The classes of some images; those of one size that follow each other are computed together.

        Args:
            images: (H, W, 3) each; only as many are kept as are computed at once.
        """
        found: list[SegmentationPrediction] = []
        inputs: list[np.ndarray] = []
        sizes: list[tuple[int, int]] = []
        for image in images:
            looked_at = resize(image, self.description)
            height, width = looked_at.shape[:2]
            if inputs and (inputs[0].shape != looked_at.shape or len(inputs) >= self._most(height * width)):
                found += self._labelled(inputs, sizes)
                inputs, sizes = [], []
            inputs.append(looked_at)
            sizes.append(image.shape[:2])
        return found + (self._labelled(inputs, sizes) if inputs else [])

    def _labelled(self, pixels: list[np.ndarray], sizes: list[tuple[int, int]]) -> list[SegmentationPrediction]:
        inputs = to_tensor(pixels, self.description)
        testing = self.description.test_cfg
        if testing.get("mode") == "slide":
            maps = tiled(inputs, self._logits, tuple(testing["crop_size"]), tuple(testing["stride"])).split(1)
        else:  # enlarged one by one, since logits of all classes in full size are large
            padded = self._filled_up(inputs)
            maps = (self._enlarged(one, inputs, padded) for one in self._run(padded).split(1))
        return [self._prediction(one, size) for one, size in zip(maps, sizes, strict=True)]

    def _prediction(self, logits: Tensor, size: tuple[int, int]) -> SegmentationPrediction:
        """Of one image, (1, classes, h, w), that is `size` (height, width) large."""
        if logits.shape[2:] != size:
            corners = self.description.align_corners
            logits = functional.interpolate(logits, size=size, mode="bilinear", align_corners=corners)
        if logits.shape[1] > 1:
            labels = logits.argmax(1)[0]
        else:
            labels = (logits[0, 0].sigmoid() > self.description.threshold).long()
        return SegmentationPrediction(
            labels.cpu().numpy().astype(np.uint8 if logits.shape[1] <= 256 else np.uint16),
            self.description.classes,
            self.description.palette,
        )

    def _logits(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, classes, H, W), for tiles of images."""
        padded = self._filled_up(images)
        return self._enlarged(self._run(padded), images, padded)

    def _enlarged(self, logits: Tensor, images: Tensor, padded: Tensor) -> Tensor:
        """Logits of what was filled up, as logits of the images in their size."""
        # What belongs to the image, as many rows and columns as its own size has: so that none of them is moved.
        rows, columns = (-(-images.shape[dim] * logits.shape[dim] // padded.shape[dim]) for dim in (2, 3))
        corners = self.description.align_corners
        return functional.interpolate(
            logits[:, :, :rows, :columns], size=images.shape[2:], mode="bilinear", align_corners=corners
        )

    def _filled_up(self, images: Tensor) -> Tensor:
        """What is added is of the mean, as with normalised images, which are filled up with 0."""
        if not self.description.normalised_inside:
            return _padded(images, self._runtime.shape)
        mean = torch.tensor(self.description.mean).view(1, -1, 1, 1)
        if self.description.channel_order == "rgb":
            mean = mean.flip(1)  # pixels come as BGR
        return _padded(images - mean, self._runtime.shape) + mean


def _padded(images: Tensor, shape: InputShape | None) -> Tensor:
    """Images that an export takes, grown to the right and below: to multiples of 32 for one of free size."""
    if shape is None:
        return images
    if shape.dynamic_size:
        width, height = (max(2, -(-size // MULTIPLE)) * MULTIPLE for size in (images.shape[3], images.shape[2]))
    else:
        width, height = (max(pair) for pair in zip(shape.size, (images.shape[3], images.shape[2]), strict=True))
    return functional.pad(images, (0, width - images.shape[3], 0, height - images.shape[2]))
