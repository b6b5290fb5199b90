"""What is wrong in a picture, drawn: the whole picture, and the annotation near by, or the mask."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .drawing import FAINT, Sheet, blend_classes
from .skeleton import Skeleton
from .views import View, centred, view, whole

#: How far an annotation near by is shown beyond its own edges, as a share of its size, and at least, in pixels.
_AROUND, _LEAST = 0.25, 12
#: How far outside of the picture is shown, as a share of its size.
_BEYOND = 0.5


def annotation_tiles(
    image: np.ndarray,
    box: Sequence[float] | None,
    keypoints: np.ndarray | None,
    skeleton: Skeleton | None,
    size: tuple[int, int],
) -> list[np.ndarray]:
    """A picture with one annotation, and the annotation near by.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: x, y, width, height in pixels, or None.
        keypoints: (K, 3) x, y, visibility, or None.
        skeleton: Of the K keypoints.
        size: Width and height of each tile.

    Returns:
        Two tiles, (height, width, 3).
    """
    extent = _extent(image, box, keypoints)
    tall, wide = image.shape[:2]
    if extent is None:
        return [whole(image, *size).tile(*size), blank(size)]
    all_of_it = (min(0.0, extent[0]), min(0.0, extent[1]), max(wide, extent[2]), max(tall, extent[3]))
    margin = max(_AROUND * max(extent[2] - extent[0], extent[3] - extent[1]), _LEAST)
    near = (extent[0] - margin, extent[1] - margin, extent[2] + margin, extent[3] + margin)
    views = [view(image, all_of_it, *size), view(image, near, *size)]
    for shown in views:
        _draw(shown, box, keypoints, skeleton)
    return [shown.tile(*size) for shown in views]


def mask_tiles(
    image: np.ndarray | None, mask: np.ndarray | None, palette: Sequence[Sequence[int]], size: tuple[int, int]
) -> list[np.ndarray]:
    """A picture, and its mask in the colours of the classes.

    Args:
        image: (H, W, 3) uint8 RGB, or None where it cannot be read.
        mask: (H, W) indices or (H, W, 3) colours, or None.
        palette: RGB colour of each class; what is none is white.
        size: Width and height of each tile.

    Returns:
        Two tiles, (height, width, 3).
    """
    first = whole(image, *size).tile(*size) if image is not None else blank(size, "cannot be read")
    if mask is None:
        return [first, blank(size, "cannot be read")]
    if mask.ndim == 2:
        indices = np.where((mask >= 0) & (mask < len(palette)), mask, 255).astype(np.uint8)
        mask = blend_classes(np.zeros((*mask.shape, 3), np.uint8), indices, palette, 1.0)
    scale = min(size[0] / mask.shape[1], size[1] / mask.shape[0])
    shape = max(round(mask.shape[1] * scale), 1), max(round(mask.shape[0] * scale), 1)
    shown = cv2.resize(np.ascontiguousarray(mask[..., :3], np.uint8), shape, interpolation=cv2.INTER_NEAREST)
    return [first, centred(shown[: size[1], : size[0]], *size)]


def blank(size: tuple[int, int], text: str = "") -> np.ndarray:
    """An empty tile, with a line of text in its middle."""
    tile = Sheet(*size)
    tile.write(text, (size[0] - Sheet.length(text)) // 2, size[1] // 2 - 10, colour=FAINT)
    return np.asarray(tile.page)


def _draw(shown: View, box: Sequence[float] | None, keypoints: np.ndarray | None, skeleton: Skeleton | None) -> None:
    if box is not None:
        shown.box(box)
    if keypoints is not None and skeleton is not None:
        shown.pose(keypoints, keypoints[:, 2] > 0, skeleton, keypoints[:, 2] == 1)


def _extent(
    image: np.ndarray, box: Sequence[float] | None, keypoints: np.ndarray | None
) -> tuple[float, float, float, float] | None:
    """x1, y1, x2, y2 of an annotation, cut where it lies far outside of the picture."""
    corners = []
    if box is not None:
        corners += [(box[0], box[1]), (box[0] + box[2], box[1] + box[3])]
    if keypoints is not None:
        corners += [tuple(place) for place in keypoints[keypoints[:, 2] > 0, :2]]
    if not corners:
        return None
    tall, wide = image.shape[:2]
    far = _BEYOND * max(tall, wide)
    places = np.clip(np.array(corners, np.float64), (-far, -far), (wide + far, tall + far))
    return (*places.min(0).tolist(), *places.max(0).tolist())
