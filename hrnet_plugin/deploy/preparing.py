"""Images made ready for a network, from its description alone."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..engine.image_files import check_image_extent, check_image_file
from ..errors import DataError
from ..wording import in_short
from .description import NetworkDescription

#: OpenCV warps no image that is wider or higher.
_WARPED = 32766


@dataclass(frozen=True)
class Crop:
    """One person cut out of an image.

    Args:
        pixels: (H, W, 3) in BGR, of the network's input size.
        centre: (x, y) of the person's box in the image.
        scale: (width, height) of what was cut out, in pixels of the image.
    """

    pixels: np.ndarray
    centre: np.ndarray
    scale: np.ndarray


def read_image(image: str | Path | np.ndarray) -> np.ndarray:
    """(H, W, 3) in BGR, 8 bits: turned as its EXIF entry says, greys as colours, without transparency.

    Raises:
        DataError: no such file, no image, one that was cut off, or an array of another kind.
    """
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise DataError(
                "image", found=f"an array {image.shape} of {image.dtype}", expected="(H, W, 3) of uint8, BGR"
            )
        return image
    if not isinstance(image, (str, Path)):
        raise DataError("image", found=f"a {type(image).__name__}", expected="a path, or (H, W, 3) of uint8, BGR")
    path = Path(image)
    if not os.path.isfile(path):
        raise DataError(f"image {path}", found="no such file")
    check_image_file(path, do="Restore it, or leave it out")
    check_image_extent(path, do="Leave it out")
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV allows
        raise DataError(f"image {path}", found=in_short(error), expected="an image that OpenCV reads") from error
    if pixels is None:
        raise DataError(f"image {path}", found="nothing that OpenCV reads", expected="a JPEG, PNG or the like")
    return pixels


def cut_out(image: np.ndarray, box: np.ndarray, description: NetworkDescription) -> Crop:
    """The part of an image that a top-down network looks at.

    Args:
        image: (H, W, 3).
        box: x1, y1, x2, y2 in pixels. It is padded and widened to the shape of the network's input.
        description: Of the network.
    """
    width, height = description.crop_size
    box = np.asarray(box, dtype=np.float32)
    centre = (box[2:] + box[:2]) * 0.5
    scale = (box[2:] - box[:2]) * np.float32(description.preparing.get("padding", 1.25))
    aspect = width / height
    wide = scale[0] > scale[1] * aspect
    scale = np.array([scale[0], scale[0] / aspect] if wide else [scale[1] * aspect, scale[1]], np.float32)
    if description.preparing.get("use_udp"):
        # Corners of the input are the centres of its corner pixels (arXiv:1911.07524, section 3.2).
        zoom = (np.array([width, height]) - 1) / scale
        shift = zoom * (0.5 * scale - centre)
    else:
        zoom = np.full(2, width / scale[0])
        shift = 0.5 * np.array([width, height]) - zoom * centre
    matrix = np.array([[zoom[0], 0, shift[0]], [0, zoom[1], shift[1]]], dtype=np.float64)
    if max(image.shape[:2]) > _WARPED:
        image, matrix = _looked_at(image, matrix, centre, scale)
    return Crop(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), centre, scale)


def _looked_at(
    image: np.ndarray, matrix: np.ndarray, centre: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The part of a very large image that is cut out, and the matrix (2, 3) that takes it to the network's input.

    Of a part that is itself too large every second pixel is taken, or fewer: warping looks at no more of them.
    """
    size = np.array(image.shape[1::-1])
    first = np.clip(np.floor(centre - 0.5 * scale) - 2, 0, size - 1).astype(int)
    last = np.clip(np.ceil(centre + 0.5 * scale) + 3, first + 1, size).astype(int)
    step = -(-(last - first) // _WARPED)
    part = image[first[1] : last[1] : step[1], first[0] : last[0] : step[0]]
    zoom = matrix[:, :2] * step
    return np.ascontiguousarray(part), np.column_stack([zoom, matrix[:, 2] + matrix[:, :2] @ first])


def resize(image: np.ndarray, description: NetworkDescription) -> np.ndarray:
    """An image of the size at which a segmentation network looks at it, in one piece or in several."""
    if description.input_size is not None and description.test_cfg.get("mode") != "slide":
        return cv2.resize(image, description.input_size, interpolation=cv2.INTER_LINEAR)
    scale = description.preparing.get("scale")
    if not scale:
        return image
    height, width = image.shape[:2]
    if not description.preparing.get("keep_ratio"):
        return cv2.resize(image, tuple(scale), interpolation=cv2.INTER_LINEAR)
    factor = min(max(scale) / max(height, width), min(scale) / min(height, width))
    size = (int(width * factor + 0.5), int(height * factor + 0.5))
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def whole_or_middle(image: np.ndarray, description: NetworkDescription) -> np.ndarray:
    """An image as a classification network looks at it: as a whole in another size, or its short edge scaled and its
    middle cut out."""
    height, width = image.shape[:2]
    if description.preparing.get("scale"):
        size = description.input_size or _square(description.preparing["scale"])
        return _scaled(image, size, description.preparing)
    crop = description.input_size or _square(description.preparing.get("crop") or min(height, width))
    edge = max(description.preparing.get("edge") or 0, *crop)
    size = (edge, int(edge * height / width)) if width < height else (int(edge * width / height), edge)
    image = _scaled(image, size, description.preparing)
    left, top = max(0, round((size[0] - crop[0]) / 2)), max(0, round((size[1] - crop[1]) / 2))
    return image[top : top + crop[1], left : left + crop[0]]


def _scaled(image: np.ndarray, size: tuple[int, int], preparing: Mapping) -> np.ndarray:
    way = preparing.get("interpolation", "bilinear")
    if preparing.get("backend") == "pillow":  # which averages over all pixels that it shrinks to one, OpenCV over four
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling[way.upper()]))
    ways = {"nearest": cv2.INTER_NEAREST, "bicubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
    return cv2.resize(image, size, interpolation=ways.get(way, cv2.INTER_LINEAR))


def _square(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def to_tensor(pixels: list[np.ndarray], description: NetworkDescription) -> Tensor:
    """Images (H, W, 3) in BGR, all of one size, to (N, C, H, W) as the network takes it: C is 3, or 1 of greys."""
    if len(description.mean) == 1:
        pixels = [cv2.cvtColor(one, cv2.COLOR_BGR2GRAY)[..., None] for one in pixels]
    images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float()
    if description.normalised_inside:
        return images
    if description.channel_order == "rgb":
        images = images.flip(1)
    mean = torch.tensor(description.mean).view(1, -1, 1, 1)
    std = torch.tensor(description.std).view(1, -1, 1, 1)
    return (images - mean) / std
