"""The maximum of a Gaussian from the derivatives of its logarithm (arXiv:1910.06278, section 3.2; arXiv:1911.07524).

Maps are smoothed first. Only the surroundings of a maximum enter its derivatives, so only they are smoothed; the scale
that gives the smoothed map its old maximum back cancels in them. Where it does not, because a value near the maximum
is as small as the lower limit of the logarithm, and where the curvature is so small that rounding decides, the map is
smoothed as a whole (`whole_maps`).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from .whole_maps import DARK_FLOOR, UDP_CEILING, UDP_FLOOR, exact_dark_offsets, exact_udp_offsets

#: Derivatives of float32 logarithms are known to about 1e-6: with less curvature than this for each cell of the step, a
#: step is known to less than a hundred thousandth of a cell.
_LEAST_CURVATURE = 0.01


def dark_offsets(maps: np.ndarray, cells: np.ndarray, kernel: int) -> np.ndarray:
    """Offsets (N, K, 2) in cells for maxima `cells` (N, K, 2) of maps (N, K, H, W); none within two cells of a border.

    Derivatives are taken over two cells on each side.
    """
    height, width = maps.shape[2:]
    inside = ((cells > 1) & (cells < (width - 2, height - 2))).all(axis=2)
    near = _smoothed_around(maps, cells, kernel, reach=2)
    logs = np.log(np.maximum(near, DARK_FLOOR))
    centre = logs[:, 2, 2]
    first = 0.5 * np.stack([logs[:, 2, 3] - logs[:, 2, 1], logs[:, 3, 2] - logs[:, 1, 2]], axis=1)
    xx = 0.25 * (logs[:, 2, 4] - 2 * centre + logs[:, 2, 0])
    yy = 0.25 * (logs[:, 4, 2] - 2 * centre + logs[:, 0, 2])
    xy = 0.25 * (logs[:, 3, 3] - logs[:, 1, 3] - logs[:, 3, 1] + logs[:, 1, 1])
    offsets, doubtful = _step(first, xx, xy, yy)
    doubtful |= ~(near.min(axis=(1, 2)) > DARK_FLOOR)
    doubtful &= inside.reshape(-1)
    offsets[~inside.reshape(-1)] = 0
    chosen = np.flatnonzero(doubtful)
    flat_maps, flat_cells = maps.reshape(-1, height, width), cells.reshape(-1, 2)
    offsets[chosen] = exact_dark_offsets(flat_maps[chosen], flat_cells[chosen], kernel)
    return offsets.reshape(cells.shape)


def udp_offsets(maps: np.ndarray, cells: np.ndarray, kernel: int) -> np.ndarray:
    """Offsets (N, K, 2) in cells for maxima `cells` (N, K, 2) of maps (N, K, H, W); borders continue outwards.

    Derivatives are taken over one cell on each side.
    """
    near = _smoothed_around(maps, cells, kernel, reach=1, continues=True)
    logs = np.log(np.clip(near, UDP_FLOOR, UDP_CEILING))
    centre = logs[:, 1, 1]
    right, left, below, above = logs[:, 1, 2], logs[:, 1, 0], logs[:, 2, 1], logs[:, 0, 1]
    first = 0.5 * np.stack([right - left, below - above], axis=1)
    xx, yy = right - 2 * centre + left, below - 2 * centre + above
    xy = 0.5 * (logs[:, 2, 2] - right - below + centre + centre - left - above + logs[:, 0, 0])
    rounding = np.finfo(np.float32).eps
    offsets, doubtful = _step(first, xx + rounding, xy, yy + rounding)
    largest = np.take_along_axis(
        maps.reshape(len(near), maps.shape[2] * maps.shape[3]), _flat_index(maps, cells)[:, None], axis=1
    )[:, 0]
    doubtful |= ~(near.min(axis=(1, 2)) > UDP_FLOOR) | ~(largest < UDP_CEILING)
    offsets = offsets.reshape(cells.shape)
    # Without a maximum, what a map gives depends on its neighbours in memory: whole samples.
    empty = (cells[:, :, 0] < 0).any(axis=1)
    for sample in np.flatnonzero(empty):
        offsets[sample] = exact_udp_offsets(maps[sample], cells[sample], kernel)
    sample, joint = np.nonzero(doubtful.reshape(cells.shape[:2]) & ~empty[:, None])
    offsets[sample, joint] = exact_udp_offsets(maps[sample, joint], cells[sample, joint], kernel)
    return offsets


def _step(first: np.ndarray, xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's step (M, 2) from first and second derivatives, and where rounding may have made it (M,)."""
    determinant = xx * yy - xy * xy
    with np.errstate(divide="ignore", invalid="ignore"):
        step_x = -(yy * first[:, 0] - xy * first[:, 1]) / determinant
        step_y = -(xx * first[:, 1] - xy * first[:, 0]) / determinant
        offsets = np.stack([step_x, step_y], axis=1)
        least = np.abs(determinant) / (np.abs(xx) + np.abs(yy) + 2 * np.abs(xy))
    # NaN is doubtful too: comparisons with it are false.
    certain = least > _LEAST_CURVATURE * (1 + np.abs(offsets).max(axis=1)) ** 2
    return offsets, ~certain


def _flat_index(maps: np.ndarray, cells: np.ndarray) -> np.ndarray:
    column, row = np.maximum(cells.reshape(-1, 2), 0).astype(np.int64).T
    return row * maps.shape[3] + column


def _smoothed_around(
    maps: np.ndarray, cells: np.ndarray, kernel: int, *, reach: int, continues: bool = False
) -> np.ndarray:
    """Smoothed values (M, 2 reach + 1, 2 reach + 1) around the maxima; what lies outside a map counts as zero.

    Args:
        continues: The smoothed map, not the map, goes on beyond its border with the values at it.
    """
    height, width = maps.shape[2:]
    weights = _band(kernel, 2 * reach + 1)
    radius = reach + kernel // 2
    span = np.arange(-radius, radius + 1)
    column, row = np.maximum(cells.reshape(-1, 2), 0).astype(np.int64).T
    flat = maps.reshape(-1)
    rows, columns = row[:, None] + span, column[:, None] + span
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    at = np.clip(rows, 0, height - 1)[:, :, None] * width + np.clip(columns, 0, width - 1)[:, None, :]
    at += (np.arange(len(row)) * height * width)[:, None, None]
    patches = np.where(inside, flat[at], np.float32(0))
    near = weights @ patches @ weights.T
    if continues:
        steps = np.arange(-reach, reach + 1)
        rows = np.clip(row[:, None] + steps, 0, height - 1) - row[:, None] + reach
        columns = np.clip(column[:, None] + steps, 0, width - 1) - column[:, None] + reach
        near = near[np.arange(len(row))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return near


@lru_cache(maxsize=16)
def _band(kernel: int, cells: int) -> np.ndarray:
    """The Gaussian's weights, a row for each of `cells` neighbours: (cells, cells + kernel - 1)."""
    # Without a sigma, OpenCV chooses the one that goes with the size; GaussianBlur does so too.
    gaussian = cv2.getGaussianKernel(kernel, -1, cv2.CV_32F)[:, 0]
    band = np.zeros((cells, cells + kernel - 1), np.float32)
    for shift in range(cells):
        band[shift, shift : shift + kernel] = gaussian
    return band
