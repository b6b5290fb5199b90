"""Medians and ratios with their intervals.

Times of one process hang together: where its memory lay and what else the machine did. So each process gives one
ratio, of the two medians of its own turns, and what is told is the median of the processes' ratios, with the lowest and
the highest of them. With one process alone the interval is a bootstrap over its turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

_RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A measured number.

    Args:
        median: Over the processes.
        low, high: The lowest and the highest process; with one process, 95 % of a bootstrap over its turns.
    """

    median: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """The same in another unit."""
        return Interval(self.median * factor, self.low * factor, self.high * factor)


def over_processes(
    times: Sequence[Sequence[float]], number: Callable[..., float], *others: Sequence[Sequence[float]]
) -> Interval:
    """A number of the turns of each process, as one interval.

    Args:
        times: Of each process, its turns.
        number: Makes one number of the turns of a process, of `times` and of each of `others`.
        others: Further times of the same processes and turns.

    Raises:
        ValueError: there is no process, or one without turns.
    """
    columns = (times, *others)
    if not times or any(len(column) != len(times) or not all(map(len, column)) for column in columns):
        raise ValueError("each process needs its turns")
    values = [number(*(column[index] for column in columns)) for index in range(len(times))]
    if len(values) > 1:
        return Interval(median(values), min(values), max(values))
    return _bootstrapped(values[0], number, [np.asarray(column[0]) for column in columns])


def _bootstrapped(value: float, number: Callable[..., float], columns: Sequence[np.ndarray]) -> Interval:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(_RESAMPLES if len(columns[0]) > 1 else 1):
        # The subjects of a turn are drawn together: they ran one after the other.
        drawn = rng.integers(0, len(columns[0]), len(columns[0]))
        found.append(number(*(column[drawn] if len(column) == len(drawn) else column for column in columns)))
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(value, min(float(low), value), max(float(high), value))


def median_time(times: Sequence[Sequence[float]]) -> Interval:
    """The median of each process's turns, as one interval."""
    return over_processes(times, _median)


def speed_up(times: Sequence[Sequence[float]], baseline: Sequence[Sequence[float]]) -> Interval:
    """How many times faster than the baseline: the ratio of the medians of each process, as one interval."""
    return over_processes(times, lambda own, other: _median(other) / _median(own), baseline)


def growth_exponent(amounts: Sequence[float], times: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms: 1 where time grows as fast as the amount.

    Raises:
        ValueError: fewer than two amounts.
    """
    if len(set(amounts)) < 2:
        raise ValueError("a slope needs two points")
    slope, _ = np.polyfit([math.log(amount) for amount in amounts], [math.log(time) for time in times], 1)
    return float(slope)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
