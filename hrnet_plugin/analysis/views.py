"""Parts of pictures at a wanted size, and where in them a place of the picture lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .drawing import PAPER, draw_box, draw_pose, enlarge
from .skeleton import Skeleton

#: Of the line round what is cut out of a picture.
CUT = (255, 255, 255)
_OUTSIDE = (196, 198, 194)


@dataclass
class View:
    """A part of a picture, drawn larger or smaller.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        origin: x, y in the picture of its upper left corner.
        scale: How many of its pixels one of the picture takes.
    """

    pixels: np.ndarray
    origin: tuple[int, int]
    scale: float

    def box(self, box: Sequence[float]) -> None:
        """Draws a box x, y, width, height of the picture."""
        left, top, wide, tall = box
        draw_box(self.pixels, (left - self.origin[0], top - self.origin[1], wide, tall), self.scale)

    def outline(self, corners: np.ndarray) -> None:
        """Draws a closed line through (n, 2) places of the picture."""
        places = np.round((np.asarray(corners) - self.origin) * self.scale).astype(np.int32)
        cv2.polylines(self.pixels, [places], True, (20, 22, 26), 3, cv2.LINE_AA)
        cv2.polylines(self.pixels, [places], True, CUT, 1, cv2.LINE_AA)

    def pose(
        self, keypoints: np.ndarray, shown: np.ndarray, skeleton: Skeleton, hollow: np.ndarray | None = None
    ) -> None:
        """Draws a pose of the picture: as `draw_pose`."""
        moved = np.asarray(keypoints, np.float64)[:, :2] - self.origin
        draw_pose(self.pixels, moved, shown, hollow, self.scale, skeleton)

    def tile(self, width: int, height: int) -> np.ndarray:
        """The view in the middle of a tile of this size, (height, width, 3)."""
        return centred(self.pixels, width, height)


def view(image: np.ndarray, region: Sequence[float], width: int, height: int) -> View:
    """A part of a picture, as large as fits into a size; what lies outside of the picture is grey.

    Args:
        image: (H, W, 3) uint8 RGB.
        region: x1, y1, x2, y2 in its pixels; it may reach out of the picture.
        width, height: In pixels, at most.
    """
    left, top = int(np.floor(region[0])), int(np.floor(region[1]))
    right, bottom = max(int(np.ceil(region[2])), left + 1), max(int(np.ceil(region[3])), top + 1)
    tall, wide = image.shape[:2]
    # A region far away shows nothing of the picture, and none of it may be asked for.
    inside = image[min(max(top, 0), tall) : max(bottom, 0), min(max(left, 0), wide) : max(right, 0)]
    rows = min(max(-top, 0), bottom - top), min(max(bottom - tall, 0), bottom - top)
    columns = min(max(-left, 0), right - left), min(max(right - wide, 0), right - left)
    part = np.empty((bottom - top, right - left, 3), np.uint8)
    part[:] = _OUTSIDE
    if inside.size:
        part[rows[0] : rows[0] + inside.shape[0], columns[0] : columns[0] + inside.shape[1]] = inside
    scale = min(width / part.shape[1], height / part.shape[0])
    pixels = enlarge(part, max(int(part.shape[1] * scale), 1))[:height]
    return View(pixels, (left, top), pixels.shape[1] / part.shape[1])


def whole(image: np.ndarray, width: int, height: int) -> View:
    """A picture, as large as fits into a size."""
    return view(image, (0, 0, image.shape[1], image.shape[0]), width, height)


def centred(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture no larger than that in the middle of a tile of the paper's colour, (height, width, 3)."""
    tile = np.empty((height, width, 3), np.uint8)
    tile[:] = PAPER
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    tile[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return tile


def read_picture(path: object) -> np.ndarray | None:
    """An image file as (H, W, 3) uint8 RGB, turned as EXIF says; None where it cannot be decoded."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def as_jpeg(pixels: np.ndarray, quality: int = 88) -> bytes:
    """A picture (H, W, 3) uint8 RGB as the bytes of a JPEG file."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()
