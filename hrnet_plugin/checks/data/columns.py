"""Values of many annotations as arrays, whatever stands in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rows_of_numbers(values: Sequence[object], width: int) -> np.ndarray:
    """Lists of numbers as an array.

    Args:
        values: N of them; what is no list of `width` numbers, text among them, becomes a row of NaN.
        width: How many numbers each should have.

    Returns:
        (N, width) float64. NaN and infinity stay what they are.
    """
    whole = _at_once(values)
    if whole is not None and whole.shape == (len(values), width):
        return whole
    rows = np.full((len(values), width), np.nan)
    for place, value in enumerate(values):
        row = _at_once(value) if isinstance(value, (list, tuple)) and len(value) == width else None
        if row is not None and row.shape == (width,):
            rows[place] = row
    return rows


def numbers(values: Sequence[object]) -> np.ndarray:
    """Single numbers as an array, (N,) float64; what is no number becomes NaN."""
    return rows_of_numbers([(value,) for value in values], 1)[:, 0]


def lengths(values: Sequence[object]) -> np.ndarray:
    """How long each list is, (N,) int64; -1 for what is none."""
    return np.fromiter((len(value) if isinstance(value, list) else -1 for value in values), np.int64, len(values))


def repeated(values: Sequence[object]) -> np.ndarray:
    """Which values stand further in front already, (N,) bool; None never does."""
    seen: set[object] = set()
    again = np.zeros(len(values), bool)
    for place, value in enumerate(values):
        again[place] = value is not None and value in seen
        seen.add(value)
    return again


def _at_once(values: Sequence[object]) -> np.ndarray | None:
    try:
        array = np.array(values)
    except (ValueError, OverflowError):  # lists of several lengths; an integer that no float can hold
        return None
    return array.astype(np.float64) if array.dtype.kind in "iufb" else None
