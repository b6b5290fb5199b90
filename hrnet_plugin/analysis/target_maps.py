"""Target heatmaps laid over a picture, each keypoint in a colour of its own."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

#: Golden angle as a share of the circle: neighbours in number are far apart in hue.
_STEP = 0.381966
_GROUND, _MASKED = 0.42, (120, 120, 120)
#: Of the crosses over keypoints that do not count.
WEIGHTLESS = (255, 45, 45)


def overlay_heatmaps(image: np.ndarray, heatmaps: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """A darkened picture with the largest of all heatmaps at each place, in the colour of its keypoint.

    Args:
        image: (H, W, 3) uint8 RGB.
        heatmaps: (K, h, w); 1 is the full colour, what is below 0 is not shown.
        counted: (h, w) bool: where the loss counts; the rest becomes grey. None counts everywhere.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    size = image.shape[1], image.shape[0]
    strongest = heatmaps.argmax(0)
    strength = np.clip(np.take_along_axis(heatmaps, strongest[None], 0)[0] / max(float(heatmaps.max()), 1.0), 0.0, 1.0)
    colours = np.array([hue(index) for index in range(len(heatmaps))], np.float32)
    tint = cv2.resize(colours[strongest] * strength[..., None].astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    share = cv2.resize(strength.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)[..., None]
    drawn = image * (_GROUND * (1 - share)) + tint
    if counted is not None:
        left_out = cv2.resize((~counted).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        drawn[left_out] = 0.5 * drawn[left_out] + 0.5 * np.array(_MASKED)
    return np.clip(drawn, 0, 255).astype(np.uint8)


def mark_weightless(image: np.ndarray, places: np.ndarray, scale: float = 1.0) -> None:
    """Draws a red cross over labelled keypoints that do not count, at the border where they lie outside; in place.

    Args:
        image: (H, W, 3) uint8 RGB, `scale` times as large as the picture the keypoints belong to.
        places: (M, 2) x, y in pixels of that picture.
        scale: See `image`.
    """
    arm = max(round(image.shape[1] / 60), 4)
    for x, y in np.nan_to_num(places) * scale:
        place = (int(np.clip(x, arm, image.shape[1] - 1 - arm)), int(np.clip(y, arm, image.shape[0] - 1 - arm)))
        cv2.drawMarker(image, place, WEIGHTLESS, cv2.MARKER_TILTED_CROSS, 2 * arm, 2, cv2.LINE_AA)


def hue(index: int) -> tuple[int, int, int]:
    """The RGB colour of a heatmap, by its number."""
    red, green, blue = colorsys.hsv_to_rgb(index * _STEP % 1.0, 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
