"""Whether scores say how often a prediction is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Scores in equal bins from 0 to 1, those of right and of wrong predictions apart.

    Args:
        right, wrong: (B,) how many predictions of each kind have a score in the bin.
        total: (B,) sum of the scores in the bin.
    """

    right: np.ndarray
    wrong: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
        """Counts predictions.

        Args:
            scores: (N,); below 0 counts in the first bin, above 1 in the last.
            right: (N,) bool.
            bins: How many.
        """
        scores = np.asarray(scores, np.float64).clip(0, 1)
        index = np.minimum((scores * bins).astype(np.int64), bins - 1)
        counts = [np.bincount(index[chosen], minlength=bins) for chosen in (right, ~right)]
        return cls(*counts, np.bincount(index, scores, minlength=bins))

    def __add__(self, other: Reliability) -> Reliability:
        return Reliability(self.right + other.right, self.wrong + other.wrong, self.total + other.total)

    @property
    def counts(self) -> np.ndarray:
        """(B,) all predictions."""
        return self.right + self.wrong

    @property
    def rate(self) -> np.ndarray:
        """(B,) share of right ones; NaN in empty bins."""
        return _ratio(self.right, self.counts)

    @property
    def mean_score(self) -> np.ndarray:
        """(B,); NaN in empty bins."""
        return _ratio(self.total, self.counts)

    def error(self) -> float:
        """Expected calibration error: by how much score and share differ, on average over all predictions."""
        filled = self.counts > 0
        if not filled.any():
            return float("nan")
        gaps = np.abs(self.rate - self.mean_score)[filled]
        return float(np.average(gaps, weights=self.counts[filled]))

    def bias(self) -> float:
        """Mean score less share of right predictions: above 0 where scores promise too much."""
        count = self.counts.sum()
        return float((self.total.sum() - self.right.sum()) / count) if count else float("nan")


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
