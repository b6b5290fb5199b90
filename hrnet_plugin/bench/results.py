"""What was measured, to JSON and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ..disk import write_whole
from ..errors import DataError
from .machine import Machine
from .records import from_plain, to_plain
from .statistics import Interval, median_time, over_processes, speed_up
from .subjects import EAGER, INFERENCE, LIMIT, Subject

FILE = "results.json"


@dataclass(frozen=True)
class Measured:
    """What was measured of one subject.

    Args:
        subject: What it is.
        times: Seconds, of each process each turn; of a limit one number a process.
        difference: Of its outputs from the reference's, in units of the largest number; None where it was not run.
        parameters, macs: Of the network; multiply-accumulates of one image.
        convolution_macs: Of a limit, those of its convolutions for the whole batch.
        memory: Bytes at the highest while it was called in a process of its own; 0 where it was not measured.
        gradient_memory: Of a training step, the same without the optimizer.
        tensor_memory: Of a training step, bytes of all tensors at the highest.
        parts: Seconds of the network's parts.
        values: Other numbers, such as `AP`.
        refused: Why there are no numbers; '' where there are.
    """

    subject: Subject
    times: tuple[tuple[float, ...], ...] = ()
    difference: float | None = None
    parameters: int = 0
    macs: int = 0
    convolution_macs: int = 0
    memory: int = 0
    gradient_memory: int = 0
    tensor_memory: int = 0
    parts: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    refused: str = ""

    @property
    def latency(self) -> Interval:
        """Seconds a call."""
        return median_time(self.times)

    @property
    def throughput(self) -> Interval:
        """Images a second."""
        images = self.subject.network.batch
        return over_processes(self.times, lambda times: images / median(times))

    @property
    def achieved(self) -> Interval:
        """Floating-point operations a second, a multiply-accumulate counted as two."""
        operations = 2 * (self.convolution_macs or self.macs * self.subject.network.batch)
        return over_processes(self.times, lambda times: operations / median(times))


@dataclass(frozen=True)
class Run:
    """Subjects that were measured by turns in the same processes.

    Args:
        name: Unique in a report.
        title: What it is, for people.
        measured: Of the subjects of the same images, the baseline first.
        processes, turns: How often.
        threads: Of the CPU.
        settled: Whether each timed call followed an untimed one.
        apart: Whether each subject had processes of its own.
        device: `cpu` or `cuda`.
        about: Digest of what was measured: configs, checkpoints, versions of packages.
        date: Year, month, day.
    """

    name: str
    title: str
    measured: tuple[Measured, ...]
    processes: int
    turns: int
    threads: int
    settled: bool = True
    apart: bool = False
    device: str = "cpu"
    about: str = ""
    date: str = ""

    @property
    def timed(self) -> tuple[Measured, ...]:
        """Subjects with times, less the limits."""
        return tuple(one for one in self.measured if one.times and one.subject.role != LIMIT)

    @property
    def limits(self) -> tuple[Measured, ...]:
        """The convolutions alone, of each network, size and batch for which they were measured."""
        return tuple(one for one in self.measured if one.times and one.subject.role == LIMIT)

    def find(self, name: str) -> Measured | None:
        """The subject of this name, where it has times."""
        return next((one for one in self.timed if one.subject.name == name), None)

    def baseline_of(self, one: Measured) -> Measured:
        """That with which a subject is compared: its reference, run eagerly; or what else runs eagerly on the same
        images; or else the first."""
        eager = [other for other in self.timed if other.subject.runtime == EAGER]
        own = (other for other in eager if other.subject.network == one.subject.source)
        alike = (other for other in eager if _images(other) == _images(one))
        return next(own, next(alike, self.timed[0]))

    def speed_up(self, one: Measured) -> Interval:
        """How many times faster than its baseline a subject is, image by image."""
        baseline = self.baseline_of(one)
        images = one.subject.network.batch / baseline.subject.network.batch
        return speed_up(one.times, baseline.times).scaled(images)

    def share_of_limit(self, one: Measured) -> Interval | None:
        """The limit's time in units of a subject's; None where none was measured of the same network and images."""
        limit = next((limit for limit in self.limits if limit.subject.source == one.subject.source), None)
        if limit is None or one.subject.role != INFERENCE:
            return None
        return over_processes(one.times, lambda own, least: least[0] / median(own), limit.times)


def _images(one: Measured) -> tuple[tuple[int, int], int]:
    return one.subject.network.size, one.subject.network.batch


@dataclass(frozen=True)
class TargetLine:
    """A line of the table of targets.

    Args:
        row: The row's name, by which it is asked for.
        what: What was measured.
        target: What it should be; 'reported' where there is no target.
        bound: The target as a number; None where there is none.
        at_most: Whether the bound is an upper one.
        measured: In the target's unit; None where it was not measured.
        unit: What stands behind the number.
        note: How it was measured, or why it was not.
    """

    row: str
    what: str
    target: str
    bound: float | None = None
    at_most: bool = False
    measured: Interval | None = None
    unit: str = ""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the median meets the bound; None where there is no bound or no number."""
        if self.bound is None or self.measured is None:
            return None
        return self.measured.median <= self.bound if self.at_most else self.measured.median >= self.bound


@dataclass(frozen=True)
class Report:
    """Everything of a benchmark.

    Args:
        machine: Where it ran.
        runs: In the order in which they ran.
        targets: The table of targets; empty where none was asked for.
        date: Year, month, day.
        version: Of hrnet_plugin.
        remarks: What a reader must know, such as that the machine was busy.
    """

    machine: Machine
    runs: tuple[Run, ...] = ()
    targets: tuple[TargetLine, ...] = ()
    date: str = ""
    version: str = ""
    remarks: tuple[str, ...] = ()

    def find(self, name: str) -> Run | None:
        """The run of this name."""
        return next((run for run in self.runs if run.name == name), None)


def write_report(report: Report, path: Path) -> None:
    """Writes a report as JSON, as a whole or not at all."""
    write_whole((json.dumps(to_plain(report), indent=1) + "\n").encode(), path)


def read_report(path: Path) -> Report:
    """Reads a report.

    Raises:
        DataError: the file is missing or holds no report.
    """
    expected = "a file written by hrnet bench"
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"results {path}", found=error.strerror, expected=expected) from error
    except ValueError as error:
        raise DataError(f"results {path}", found=f"broken JSON ({error})", expected=expected) from error
    return from_plain(Report, found, f"results {path}")
