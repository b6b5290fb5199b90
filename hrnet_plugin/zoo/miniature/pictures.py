"""Small textured pictures with shapes whose outlines are known exactly."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from hrnet_plugin.data.noise import clouds

#: Width and height of every miniature picture, in pixels.
SIZE = (160, 120)
_CORNERS = 9


def draw_shapes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A textured ground with `count` textured blobs on it, each wholly inside the picture.

    Returns:
        The picture, (H, W, 3) uint8 RGB, and the outline of each blob, (9, 2) int32: x, y in pixels. A later blob lies
        over an earlier one.
    """
    image = _textured(rng, rng.uniform(60, 200, 3))
    outlines = [_outline(rng) for _ in range(count)]
    for outline in outlines:
        inside = fill(np.zeros(image.shape[:2], np.uint8), outline, 1) > 0
        image[inside] = _textured(rng, rng.uniform(20, 235, 3))[inside]
    return image, outlines


def fill(labels: np.ndarray, outline: np.ndarray, value: int) -> np.ndarray:
    """Write `value` into the pixels of `labels` (H, W) inside an outline, and return it."""
    return cv2.fillPoly(labels, [outline.astype(np.int32)], int(value))


def mark(image: np.ndarray, places: np.ndarray) -> None:
    """Draw a coloured spot at each of the (K, 2) places: x, y in pixels."""
    for number, (x, y) in enumerate(places):
        colour = (255 - 37 * number % 256, 91 * number % 256, 53 * number % 256)
        cv2.circle(image, (round(float(x)), round(float(y))), 2, colour, -1)


def write_image(path: Path, image: np.ndarray) -> None:
    """Write an (H, W, 3) RGB picture or (H, W) label map, in the format that the name's ending says.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image[:, :, ::-1] if image.ndim == 3 else image
    done, packed = cv2.imencode(path.suffix, pixels)
    if not done:
        raise OSError(f"no picture format {path.suffix}")
    path.write_bytes(packed.tobytes())


def box_of(outline: np.ndarray) -> list[float]:
    """x, y, width and height of an outline."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    return [float(value) for value in (*low, *(high - low))]


def _textured(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    noise = clouds(rng, SIZE[1], SIZE[0], rng.uniform(4, 12), 3) * 30 + rng.normal(0, 4, (SIZE[1], SIZE[0], 3))
    return np.clip(colour + noise, 0, 255).astype(np.uint8)


def _outline(rng: np.random.Generator) -> np.ndarray:
    width, height = SIZE
    reach = rng.uniform(0.2, 0.36) * height
    centre = rng.uniform((reach + 1, reach + 1), (width - reach - 1, height - reach - 1))
    angles = (np.arange(_CORNERS) + rng.uniform(0, 0.6, _CORNERS)) * 2 * np.pi / _CORNERS
    spokes = rng.uniform(0.7, 1.0, (_CORNERS, 1)) * reach
    return np.round(centre + spokes * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.int32)
