"""Numbers of a benchmark in words."""

from __future__ import annotations

from .machine import Machine
from .results import Run, TargetLine
from .statistics import Interval

_SHORT = 1e-3
_MOST_DIGITS = 6


def with_interval(found: Interval, unit: str = "", digits: int = 2) -> str:
    """`2.31x (2.28 to 2.35)`."""
    return f"{found.median:.{digits}f}{unit} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def in_milliseconds(found: Interval) -> str:
    """Seconds as milliseconds, with as many digits as are worth something."""
    return with_interval(found.scaled(1 / _SHORT), digits=1 if found.median < 1 else 0)


def verdict(line: TargetLine) -> str:
    """Whether a target is met."""
    if line.is_met is None:
        return "" if line.measured is not None else "not measured"
    return "yes" if line.is_met else "no"


def measured_text(line: TargetLine) -> str:
    """What was measured, or why nothing was."""
    if line.measured is None:
        return f"not measured: {line.note}" if line.note else "not measured"
    digits = 3 if line.unit == "" else 2 if line.unit == "x" else 1
    # A number is never rounded across its bound.
    while line.is_met is False and digits < _MOST_DIGITS and _meets(round(line.measured.median, digits), line):
        digits += 1
    text = with_interval(line.measured, line.unit, digits)
    return f"{text}; {line.note}" if line.note else text


def _meets(value: float, line: TargetLine) -> bool:
    return value <= line.bound if line.at_most else value >= line.bound


def describe_machine_in_words(machine: Machine) -> list[str]:
    """A line each for processor, instructions, memory, system and versions."""
    lines = [f"{machine.cpu}, {machine.cores} cores usable, {machine.memory / 2**30:.0f} GiB of memory"]
    if machine.device:
        lines.insert(0, f"graphics card: {machine.device}")
    lines.append(f"instructions that matter here: {', '.join(machine.instructions) or 'none known'}")
    lines.append(machine.system)
    lines.append(", ".join(f"{name} {version}" for name, version in machine.packages.items()))
    return lines


def describe_protocol(run: Run) -> str:
    """How a run was measured, in a sentence."""
    device = f"{run.threads} CPU threads" if run.device == "cpu" else "the graphics card"
    turns = f"{run.turns} turn{'s' * (run.turns > 1)}"
    settled = ", each timed call after an untimed one" if run.settled else ""
    settled += ", processes of its own for each subject, in turn" if run.apart else ""
    if not run.timed:
        return f"one process each, {device}"
    if run.processes == 1:
        return f"one process of {turns}, {device}{settled}; the intervals are 95 % of a bootstrap over the turns"
    return (
        f"median of {run.processes} processes of {turns} each, {device}{settled}; the intervals are lowest to highest"
    )
