"""Which predicted pose belongs to which true person, found as COCO's evaluation does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: COCO looks at this many predictions of a picture, those with the highest scores.
MOST = 20


@dataclass(frozen=True)
class PoseMatches:
    """The pairs of one picture.

    Args:
        person: (P,) index of the true person of each prediction, -1 without one.
        ignored: (P,) bool: predictions that are neither right nor wrong, since they lie on a person that does not
            count, or beyond the 20 that COCO looks at.
    """

    person: np.ndarray
    ignored: np.ndarray


def match_poses(
    table: np.ndarray, scores: np.ndarray, threshold: float, counted: np.ndarray, crowds: np.ndarray | None = None
) -> PoseMatches:
    """Gives each prediction, highest score first, the free person to which it is most similar.

    Args:
        table: (P, T) similarities.
        scores: (P,) of the predictions.
        threshold: The least similarity of a pair.
        counted: (T,) bool: persons that count. The others only take predictions that no counted person takes.
        crowds: (T,) bool: those of the others that take any number of predictions.
    """
    predictions, persons = table.shape
    crowds = np.zeros(persons, bool) if crowds is None else crowds
    person, ignored = np.full(predictions, -1), np.zeros(predictions, bool)
    taken = np.zeros(persons, bool)
    order = np.argsort(-scores, kind="stable")
    ignored[order[MOST:]] = True
    for index in order[:MOST]:
        for among in (counted & ~taken, ~counted & (~taken | crowds)):
            found = _last_best(np.where(among, table[index], -1.0), threshold)
            if found is not None:
                taken[found] = True
                person[index], ignored[index] = (found, False) if counted[found] else (-1, True)
                break
    return PoseMatches(person, ignored)


def _last_best(values: np.ndarray, threshold: float) -> int | None:
    """The last of the largest values, which is where COCO's loop ends, if it reaches the threshold."""
    if not len(values):
        return None
    found = len(values) - 1 - int(np.argmax(values[::-1]))
    return found if values[found] >= threshold else None
