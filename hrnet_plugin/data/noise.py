"""Random textures, cheap: smooth noise from small random grids, sensor noise from a fixed bank."""

from __future__ import annotations

import functools

import cv2
import numpy as np

_BANK_SIDE = 640


@functools.lru_cache(maxsize=1)
def _bank() -> np.ndarray:
    return np.random.default_rng(20240717).standard_normal((3, _BANK_SIDE, _BANK_SIDE), dtype=np.float32)


def grain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Noise of mean 0 and deviation 1, independent from pixel to pixel, (3, height, width) float32.

    A window of a fixed bank at a random place: a tenth of the time of drawing it afresh.
    """
    bank = _bank()
    top, left = (int(rng.integers(0, _BANK_SIDE)) for _ in range(2))
    if height <= _BANK_SIDE - top and width <= _BANK_SIDE - left:
        return bank[:, top : top + height, left : left + width]
    rows, columns = (np.arange(height) + top) % _BANK_SIDE, (np.arange(width) + left) % _BANK_SIDE
    return bank[:, rows[:, None], columns]


def clouds(rng: np.random.Generator, height: int, width: int, cells: float, channels: int = 1) -> np.ndarray:
    """Smooth noise, about -1 to 1, with about `cells` blobs across: (height, width[, channels]) float32."""
    across = max(int(cells), 2)
    down = max(int(cells * height / width), 2)
    grid = rng.uniform(-1, 1, (down, across, channels)).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def fractal(rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 3) -> np.ndarray:
    """Noise on several scales, about -1 to 1, (height, width) float32."""
    total = clouds(rng, height, width, cells)
    for octave in range(1, octaves):
        total += clouds(rng, height, width, cells * 2.7**octave) * np.float32(0.5**octave)
    return total
