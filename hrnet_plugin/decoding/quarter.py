"""A quarter of a cell towards the larger neighbour (Xiao et al., arXiv:1804.06208, section 3.1)."""

from __future__ import annotations

import numpy as np


def quarter_offsets(maps: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Offsets (N, K, 2) in cells for maxima `cells` (N, K, 2) of maps (N, K, H, W); none at the border.

    As released networks were evaluated, the second row and column count as border too, the last but one do not.
    """
    height, width = maps.shape[2:]
    flat = maps.reshape(-1, height * width)
    column, row = cells.reshape(-1, 2).astype(np.int64).T
    across = (column > 1) & (column < width - 1) & (row > 0)
    along = (row > 1) & (row < height - 1) & (column > 0)
    offsets = np.zeros((len(flat), 2), np.float32)
    offsets[across, 0] = _rise(flat, across, row * width + column, 1)
    offsets[along, 1] = _rise(flat, along, row * width + column, width)
    return 0.25 * offsets.reshape(cells.shape)


def _rise(flat: np.ndarray, chosen: np.ndarray, index: np.ndarray, step: int) -> np.ndarray:
    maps, at = np.flatnonzero(chosen), index[chosen]
    return np.sign(flat[maps, at + step] - flat[maps, at - step])
