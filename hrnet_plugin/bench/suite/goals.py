"""The targets, and how each is read from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from ..plots import by_pixels, pixels
from ..results import Measured, Report, Run, TargetLine
from ..statistics import Interval, growth_exponent, over_processes
from ..subjects import EAGER, INFERENCE

#: What is found in a run: a number and how it was measured, or None and why there is none.
Finding = tuple[Interval | None, str]


@dataclass(frozen=True)
class Goal:
    """A line of the table of targets.

    Args:
        row: The row's name, by which it is asked for.
        run: The run that it is read from.
        what, target: In words.
        read: Reads it from the run.
        bound: The target as a number; None where it is only reported.
        at_most: Whether the bound is an upper one.
        unit: What stands behind the number.
    """

    row: str
    run: str
    what: str
    target: str
    read: Callable[[Run], Finding]
    bound: float | None = None
    at_most: bool = False
    unit: str = "x"

    def line(self, report: Report, reason: str = "") -> TargetLine:
        """The line of the table.

        Args:
            report: With or without the run.
            reason: Why the run is not there.
        """
        run = report.find(self.run)
        found, note = self.read(run) if run is not None else (None, reason)
        return TargetLine(self.row, self.what, self.target, self.bound, self.at_most, found, self.unit, note)


def best_speed_up(precision: str) -> Callable[[Run], Finding]:
    """The speed-up of the fastest runtime of a precision."""

    def read(run: Run) -> Finding:
        one = fastest(run, precision)
        return (run.speed_up(one), one.subject.runtime) if one else (None, f"no runtime for {precision}")

    return read


def share_of_limit(run: Run) -> Finding:
    """The share of the limit that the fastest fp32 runtime reaches."""
    one = fastest(run, "fp32")
    share = run.share_of_limit(one) if one else None
    if share is None:
        return None, "the limit was not measured"
    limit = run.limits[0]
    return share.scaled(100), f"{one.subject.runtime}; limit {limit.latency.median * 1e3:.1f} ms"


def speed_up_of(name: str) -> Callable[[Run], Finding]:
    """The speed-up of the subject of this name."""

    def read(run: Run) -> Finding:
        one = run.find(name)
        return (run.speed_up(one), name) if one else (None, _why_not(run, name))

    return read


def time_of(name: str) -> Callable[[Run], Finding]:
    """The time of a subject in units of the baseline's."""

    def read(run: Run) -> Finding:
        one = run.find(name)
        if one is None:
            return None, _why_not(run, name)
        baseline = run.baseline_of(one)
        return over_processes(one.times, lambda own, other: np.median(own) / np.median(other), baseline.times), name

    return read


def memory_of(name: str, of: Callable[[Measured], int] = attrgetter("memory")) -> Callable[[Run], Finding]:
    """The peak memory of a subject in percent of the baseline's.

    Args:
        name: Of the subject.
        of: Which memory of it.
    """

    def read(run: Run) -> Finding:
        one = run.find(name)
        baseline = of(run.timed[0]) if run.timed else 0
        if one is None or not of(one) or not baseline:
            return None, _why_not(run, name)
        share = 100 * of(one) / baseline
        note = f"{of(one) / 2**30:.2f} of {baseline / 2**30:.2f} GiB, one fresh process each"
        return Interval(share, share, share), note

    return read


def fastest_rise(run: Run) -> Finding:
    """The exponent of latency against pixels of the runtime that is fastest at the largest size."""
    series = {name: entries for name, entries in by_pixels(run).items() if entries[0].subject.runtime != EAGER}
    if not series:
        return None, "fewer than two sizes"
    name = min(series, key=lambda known: series[known][-1].latency.median)
    found = {known: _exponent(entries) for known, entries in series.items()}
    others = ", ".join(f"{known} {found[known].median:.2f}" for known in sorted(found) if known != name)
    return found[name], f"{name}; {others}" if others else name


def latency_beside(names: Sequence[str]) -> Callable[[Run], Finding]:
    """The latency of subjects, in milliseconds, with ours by the same runtimes; the first one is the number."""

    def read(run: Run) -> Finding:
        found = [one for one in map(run.find, names) if one is not None]
        if not found:
            return None, _why_not(run, names[0])
        told = []
        for one in found:
            way = f"{one.subject.runtime} {one.subject.precision}"
            ours = run.find(way)
            beside = f" (HRNet-W32 {ours.latency.median * 1e3:.1f} ms)" if ours else ""
            told.append(f"{way} {one.latency.median * 1e3:.1f} ms{beside}")
        return found[0].latency.scaled(1e3), ", ".join(told)

    return read


def value_loss(name: str, value: str, than: str) -> Callable[[Run], Finding]:
    """By how much a number of one subject is below that of another."""

    def read(run: Run) -> Finding:
        values = {one.subject.name: one.values for one in run.measured}
        if value not in values.get(name, {}) or value not in values.get(than, {}):
            return None, _why_not(run, name)
        loss = values[than][value] - values[name][value]
        return Interval(loss, loss, loss), f"{value} {values[than][value]:.4f} to {values[name][value]:.4f}"

    return read


def value_of(name: str, value: str) -> Callable[[Run], Finding]:
    """A number of a subject."""

    def read(run: Run) -> Finding:
        one = next((one for one in run.measured if one.subject.name == name), None)
        if one is None or value not in one.values:
            return None, _why_not(run, name)
        return Interval(*(one.values[value],) * 3), ""

    return read


def ratio_of(name: str, than: str) -> Callable[[Run], Finding]:
    """The time of a subject in units of another's."""

    def read(run: Run) -> Finding:
        one, other = run.find(name), run.find(than)
        if one is None or other is None:
            return None, _why_not(run, name if one is None else than)
        return over_processes(one.times, lambda own, base: np.median(own) / np.median(base), other.times), ""

    return read


def fastest(run: Run, precision: str) -> Measured | None:
    """The fastest of ours of a precision, by its speed-up."""
    ours = [
        one
        for one in run.timed
        if one.subject.runtime != EAGER and one.subject.reference is not None
        if one.subject.precision == precision and one.subject.role == INFERENCE
    ]
    return max(ours, key=lambda one: run.speed_up(one).median, default=None)


def _exponent(entries: Sequence[Measured]) -> Interval:
    amounts = [pixels(entry) for entry in entries]

    def slope(*columns: Sequence[float]) -> float:
        return growth_exponent(amounts, [float(np.median(column)) for column in columns])

    return over_processes(entries[0].times, slope, *(entry.times for entry in entries[1:]))


def _why_not(run: Run, name: str) -> str:
    found = next((one for one in run.measured if one.subject.name == name), None)
    return found.refused if found is not None and found.refused else f"{name} was not run"
