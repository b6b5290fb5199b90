"""Skeletons, boxes, masks and text drawn onto pictures, sharp at any size."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from hrnet_plugin.errors import DataError

from .skeleton import COCO, Skeleton

INK, FAINT, PAPER = (33, 37, 43), (110, 117, 128), (250, 250, 248)
_SHIFT = 4
#: Beyond this cv2 takes no coordinates; it lies far outside of any picture.
_FURTHEST = 2**28
#: Up to how many keypoints a pose is drawn with full dots.
_SPARSE = 30
#: Where OpenCV's integers end, with room for an enlarged picture.
_FAR = 1e6
_DARK, BOX = (20, 22, 26), (255, 226, 90)


def enlarge(image: np.ndarray, width: int) -> np.ndarray:
    """The image (H, W, 3) at a width in pixels, height in proportion."""
    height = max(round(image.shape[0] * width / image.shape[1]), 1)
    how = cv2.INTER_CUBIC if width > image.shape[1] else cv2.INTER_AREA
    return cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=how)


def enlarge_classes(mask: np.ndarray, width: int) -> np.ndarray:
    """A mask (H, W) of class indices at a width in pixels, without classes in between."""
    height = max(round(mask.shape[0] * width / mask.shape[1]), 1)
    return cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)


def _fixed(place: np.ndarray, scale: float) -> tuple[int, int]:
    """A place in pixels of the image as cv2 wants it on the enlarged one."""
    fixed = ((np.asarray(place[:2], np.float64) + 0.5) * scale - 0.5) * (1 << _SHIFT)
    x, y = np.clip(fixed, -_FURTHEST, _FURTHEST)
    return round(float(x)), round(float(y))


def draw_pose(
    image: np.ndarray,
    keypoints: np.ndarray,
    shown: np.ndarray,
    hollow: np.ndarray | None = None,
    scale: float = 1.0,
    skeleton: Skeleton = COCO,
) -> None:
    """Draw one pose in the colours of its skeleton, in place.

    Args:
        image: (H, W, 3) uint8 RGB, `scale` times as large as the picture the keypoints belong to.
        keypoints: (K, 2 or more) x, y in pixels of that picture.
        shown: (K,) bool: which keypoints to draw, less those that are NaN or infinite.
        hollow: (K,) bool: which of them as rings (occluded ones).
        scale: See `image`.
        skeleton: Of these K keypoints.
    """
    thick = max(round(image.shape[1] / 260), 1)
    shown = shown & (np.abs(np.nan_to_num(keypoints[:, :2], nan=np.inf)) < _FAR).all(1)
    places = [_fixed(place, scale) if drawn else (0, 0) for place, drawn in zip(keypoints, shown, strict=True)]
    limbs = [item for item in zip(skeleton.limbs, skeleton.limb_colours, strict=True) if shown[list(item[0])].all()]
    for width, dark in ((thick + 2, True), (thick, False)):
        for (first, second), colour in limbs:
            cv2.line(image, places[first], places[second], _DARK if dark else colour, width, cv2.LINE_AA, _SHIFT)
    # The dots of a face or a hand would cover each other at the size that suits a body.
    radius = int((thick + 1.1) * (1 << _SHIFT) * (1.0 if len(skeleton) <= _SPARSE else 0.6))
    for index in np.flatnonzero(shown):
        colour = skeleton.colours[index]
        cv2.circle(image, places[index], radius + (1 << _SHIFT), _DARK, -1, cv2.LINE_AA, _SHIFT)
        ring = hollow is not None and hollow[index]
        cv2.circle(image, places[index], radius, (255, 255, 255) if ring else colour, -1, cv2.LINE_AA, _SHIFT)
        if ring:
            cv2.circle(image, places[index], radius, colour, 1, cv2.LINE_AA, _SHIFT)


def draw_box(image: np.ndarray, box: Sequence[float], scale: float = 1.0) -> None:
    """Draw a box x, y, width, height (pixels of the picture) in place; `image` is `scale` times as large."""
    left, top, wide, tall = box
    corners = [_fixed(np.array(corner) - 0.5, scale) for corner in ((left, top), (left + wide, top + tall))]
    cv2.rectangle(image, corners[0], corners[1], BOX, 1, cv2.LINE_AA, _SHIFT)


def blend_classes(image: np.ndarray, mask: np.ndarray, palette: Sequence[Sequence[int]], share: float) -> np.ndarray:
    """The image (H, W, 3) tinted by class; `mask` (H, W) holds indices into `palette`, anything beyond is white."""
    colours = np.full((256, 3), 255, np.uint8)
    colours[: len(palette)] = np.asarray(palette, np.uint8)
    tint = colours[mask]
    return cv2.addWeighted(np.ascontiguousarray(image), 1.0 - share, tint, share, 0.0)


@functools.lru_cache(maxsize=16)
def _font(size: int, bold: bool):
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


class Sheet:
    """A page that pictures, coloured squares and lines of text are put on."""

    def __init__(self, width: int, height: int):
        from PIL import Image, ImageDraw

        self.page = Image.new("RGB", (width, height), PAPER)
        self._pen = ImageDraw.Draw(self.page)

    def put(self, image: np.ndarray, left: int, top: int) -> None:
        """Put an image (H, W, 3) uint8 RGB with its upper left corner at a place."""
        from PIL import Image

        self.page.paste(Image.fromarray(np.ascontiguousarray(image)), (left, top))

    def write(
        self, text: str, left: int, top: int, size: int = 14, bold: bool = False, colour: tuple[int, int, int] = INK
    ) -> int:
        """Write a line of text with its upper left corner at a place; returns where it ends."""
        self._pen.text((left, top), text, fill=colour, font=_font(size, bold))
        return left + self.length(text, size, bold)

    @staticmethod
    def length(text: str, size: int = 14, bold: bool = False) -> int:
        """How wide a line of text is, in pixels."""
        return int(np.ceil(_font(size, bold).getlength(text)))

    @staticmethod
    def shortened(text: str, width: int, size: int = 14, bold: bool = False) -> str:
        """A line of text, cut to a width in pixels where it is longer."""
        if Sheet.length(text, size, bold) <= width:
            return text
        while text and Sheet.length(f"{text}…", size, bold) > width:
            text = text[:-1]
        return f"{text}…" if text else ""

    def legend(self, entries: Sequence[tuple[str, Sequence[int]]], right: int, top: int, size: int = 14) -> None:
        """Coloured squares with names, in one line that ends at `right`."""
        wide = sum(self.length(name, size) + 2 * size + 10 for name, _ in entries)
        place = right - wide
        for name, colour in entries:
            box = (place, top + 2, place + size, top + 2 + size)
            self._pen.rounded_rectangle(box, 3, fill=tuple(colour), outline=FAINT)
            place = self.write(name, place + size + 6, top, size) + size + 4

    def save(self, path: str | Path) -> Path:
        """Write the page as PNG or JPEG, by the ending of the path; its folder is made.

        Raises:
            DataError: if it cannot be written.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            options = {"quality": 90} if path.suffix.lower() in (".jpg", ".jpeg") else {"optimize": True}
            self.page.save(path, **options)
        except (OSError, ValueError) as error:
            raise DataError(
                str(path),
                found=getattr(error, "strerror", None) or str(error),
                expected="a picture file that can be written",
                do="Name a .png or .jpg file in a folder of your own",
            ) from error
        return path
