"""The largest value of each heatmap and where it stands."""

from __future__ import annotations

import numpy as np


def find_maxima(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells (N, K, 2) as x and y in float32, and values (N, K), of the maxima of maps (N, K, H, W).

    The first of equal values counts, row by row; a NaN counts as the largest. Where no value is positive the cell is
    (-1, -1).
    """
    batch, joints, height, width = maps.shape
    flat = maps.reshape(batch * joints, height * width)
    index = flat.argmax(axis=1)
    values = flat[np.arange(len(flat)), index]
    cells = np.stack([index % width, index // width], axis=1).astype(np.float32)
    cells[values <= 0] = -1
    return cells.reshape(batch, joints, 2), values.reshape(batch, joints)
