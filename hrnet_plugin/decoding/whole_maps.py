"""The same offsets from maps that are smoothed as a whole: slower, and exact where the shortcut does not hold."""

from __future__ import annotations

import cv2
import numpy as np

#: Of what the logarithm is taken of, as mmpose has them: no less, and for UDP no more.
DARK_FLOOR, UDP_FLOOR, UDP_CEILING = 1e-10, 1e-3, 50.0


def smooth(maps: np.ndarray, kernel: int) -> np.ndarray:
    """Smoothed copies of maps (K, H, W), each with the maximum that it had; zeros surround a map."""
    border = kernel // 2
    smoothed = np.empty_like(maps)
    padded = np.zeros((maps.shape[1] + 2 * border, maps.shape[2] + 2 * border), np.float32)
    for index, one in enumerate(maps):
        padded[border:-border, border:-border] = one
        blurred = cv2.GaussianBlur(padded, (kernel, kernel), 0)[border:-border, border:-border]
        with np.errstate(divide="ignore", invalid="ignore"):
            smoothed[index] = blurred * (one.max() / blurred.max())
    return smoothed


def exact_dark_offsets(maps: np.ndarray, cells: np.ndarray, kernel: int) -> np.ndarray:
    """Offsets (K, 2) for maxima `cells` (K, 2) of maps (K, H, W); see `taylor.dark_offsets`."""
    height, width = maps.shape[1:]
    logs = np.log(np.maximum(smooth(maps, kernel), DARK_FLOOR))
    offsets = np.zeros(cells.shape, np.float32)
    for index, (column, row) in enumerate(cells.astype(int)):
        if not (1 < column < width - 2 and 1 < row < height - 2):
            continue
        near = logs[index, row - 2 : row + 3, column - 2 : column + 3]
        xx = 0.25 * (near[2, 4] - 2 * near[2, 2] + near[2, 0])
        yy = 0.25 * (near[4, 2] - 2 * near[2, 2] + near[0, 2])
        xy = 0.25 * (near[3, 3] - near[1, 3] - near[3, 1] + near[1, 1])
        first = np.array([0.5 * (near[2, 3] - near[2, 1]), 0.5 * (near[3, 2] - near[1, 2])])
        if xx * yy - xy**2 != 0:
            offsets[index] = -np.linalg.inv(np.array([[xx, xy], [xy, yy]])) @ first
    return offsets


def exact_udp_offsets(maps: np.ndarray, cells: np.ndarray, kernel: int) -> np.ndarray:
    """Offsets (K, 2) for maxima `cells` (K, 2) of maps (K, H, W); see `taylor.udp_offsets`.

    A map without a positive value has the cell (-1, -1), whose neighbours are read from what lies before it in
    memory, as released networks were evaluated; its score says that it is no keypoint.
    """
    joints, height, width = maps.shape
    logs = np.log(np.clip(smooth(maps, kernel), UDP_FLOOR, UDP_CEILING))
    line = width + 2
    flat = np.pad(logs, ((0, 0), (1, 1), (1, 1)), mode="edge").reshape(-1)
    at = (cells[:, 0] + 1 + (cells[:, 1] + 1) * line + line * (height + 2) * np.arange(joints)).astype(int)
    centre, right, left, below, above = (flat[at + step] for step in (0, 1, -1, line, -line))
    first = np.stack([0.5 * (right - left), 0.5 * (below - above)], axis=1)[:, :, None]
    xx, yy = right - 2 * centre + left, below - 2 * centre + above
    xy = 0.5 * (flat[at + line + 1] - right - below + centre + centre - left - above + flat[at - line - 1])
    second = np.stack([xx, xy, xy, yy], axis=1).reshape(joints, 2, 2)
    inverse = np.linalg.inv(second + np.finfo(np.float32).eps * np.eye(2))
    return -np.einsum("kmn,kno->kmo", inverse, first)[:, :, 0]
