"""What was taken for what: a table of true and predicted classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Confusion:
    """Counts of true and predicted classes.

    Args:
        table: (C + 1, C + 1) true class in rows, predicted one in columns; the last row and column are for classes
            that are not among the C.
    """

    table: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, prediction: np.ndarray, classes: int) -> Confusion:
        """Counts pairs.

        Args:
            truth, prediction: (N,) class indices; those below 0 or from `classes` on are of another class.
            classes: C.
        """
        true, guess = (np.where((one >= 0) & (one < classes), one, classes) for one in (truth, prediction))
        counts = np.bincount(true.astype(np.int64) * (classes + 1) + guess, minlength=(classes + 1) ** 2)
        return cls(counts.reshape(classes + 1, classes + 1))

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.table + other.table)

    @property
    def _inner(self) -> np.ndarray:
        return self.table[:-1, :-1]

    @property
    def true(self) -> np.ndarray:
        """(C,) how often each class is true."""
        return self.table[:-1].sum(1)

    @property
    def predicted(self) -> np.ndarray:
        """(C,) how often each class is predicted."""
        return self.table[:, :-1].sum(0)

    def iou(self) -> np.ndarray:
        """(C,) intersection over union; NaN for classes that are neither true nor predicted."""
        hits = np.diagonal(self._inner)
        return _ratio(hits, self.true + self.predicted - hits)

    def accuracy(self) -> np.ndarray:
        """(C,) share of each true class that is predicted as such (recall); NaN for classes that are not there."""
        return _ratio(np.diagonal(self._inner), self.true)

    def precision(self) -> np.ndarray:
        """(C,) share of each predicted class that is true; NaN for classes that are never predicted."""
        return _ratio(np.diagonal(self._inner), self.predicted)

    def rows(self) -> np.ndarray:
        """(C, C) the table with each row as shares of the true class; NaN for classes that are not there."""
        return _ratio(self._inner, self.true[:, None])

    def largest(self, count: int) -> list[tuple[int, int, int]]:
        """The most frequent confusions: true class, predicted class, how often; most frequent first."""
        wrong = self._inner * (1 - np.eye(len(self._inner), dtype=self.table.dtype))
        places = np.argsort(-wrong, axis=None, kind="stable")[:count]
        found = [(*divmod(int(place), len(wrong)), int(wrong.flat[place])) for place in places]
        return [entry for entry in found if entry[2]]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    whole = np.broadcast_to(whole, part.shape)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
