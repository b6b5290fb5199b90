"""Pieces of drawings: images read again, cut-outs of one shape, JPEG for the page."""

from __future__ import annotations

import cv2
import numpy as np

from ...analysis.drawing import PAPER

_QUALITY = 88


def read_rgb(path: str) -> np.ndarray | None:
    """An image (H, W, 3) uint8 RGB as the pipelines read it; None where it cannot be read."""
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):  # gone since, on no local path, or empty
        return None
    return None if image is None else image[..., ::-1].copy()


def jpeg(image: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB as JPEG bytes."""
    return cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[
        1
    ].tobytes()


def window_around(
    points: np.ndarray, shape: tuple[float, float], image: tuple[int, int], margin: float = 0.12
) -> tuple[float, float, float]:
    """A window of a shape that holds all points, inside the image where it is not larger than that.

    Args:
        points: (N, 2) x, y in pixels.
        shape: Width and height of the window, in any unit.
        image: Width and height of the image.
        margin: On each side, as a share of the longer extent.

    Returns:
        Left, top, and pixels of the image per unit of `shape`.
    """
    start, end = points.min(0), points.max(0)
    extent = np.maximum(end - start, 8.0)
    extent = np.minimum(extent + 2 * margin * extent.max(), np.maximum(extent, image))
    unit = float((extent / shape).max())
    corner = (start + end) / 2 - np.asarray(shape) * unit / 2
    room = np.asarray(image) - np.asarray(shape) * unit
    left, top = np.where(room >= 0, corner.clip(0, np.maximum(room, 0)), corner)
    return float(left), float(top), unit


def cut_out(image: np.ndarray, left: float, top: float, scale: float, size: tuple[int, int]) -> np.ndarray:
    """A window of an image, enlarged; what lies outside the image is paper.

    Args:
        image: (H, W, 3) uint8 RGB.
        left, top: Upper left corner of the window, in pixels of the image.
        scale: By which it is enlarged.
        size: Width and height of the result.
    """
    shift = (0.5 - left) * scale - 0.5, (0.5 - top) * scale - 0.5
    if scale < 1:  # warping does not average
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scale, shift = 1.0, (-left * scale, -top * scale)
    place = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(image, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=PAPER)


def side_by_side(tiles: list[np.ndarray], gap: int = 4) -> np.ndarray:
    """Tiles (H, W, 3) of one height in a row, paper between them."""
    strip = np.full((tiles[0].shape[0], gap, 3), PAPER, np.uint8)
    parts = [part for tile in tiles for part in (tile, strip)]
    return np.concatenate(parts[:-1], 1)
