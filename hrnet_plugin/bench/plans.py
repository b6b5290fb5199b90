"""A run of the benchmark: what is measured together, and how it becomes results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ConfigError, UserError
from .processes import Runner, run_process
from .results import Measured, Run
from .subjects import LIMIT, Job, Outcome, Subject

_TURNS_FOR_PARTS = 10
_USUAL_PROCESSES, _USUAL_TURNS = 5, 30


@dataclass(frozen=True)
class Settings:
    """How a benchmark is run.

    Args:
        folder: Where weights, files and results go.
        processes: Fresh processes, each of which gives one ratio.
        turns: Alternations in each.
        threads: Of the CPU.
        device: `cpu` or `cuda`.
        strict: Raise where a subject cannot be made; otherwise it is left out, with the reason.
    """

    folder: Path
    processes: int = _USUAL_PROCESSES
    turns: int = _USUAL_TURNS
    threads: int = 2
    device: str = "cpu"
    strict: bool = True

    def __post_init__(self):
        for name, value in (("--processes", self.processes), ("--repeats", self.turns), ("--threads", self.threads)):
            if value < 1:
                raise ConfigError(name, found=value, expected="a whole number of at least 1")


@dataclass(frozen=True)
class Plan:
    """What is measured together.

    Args:
        name, title: Of the run.
        subjects: The baseline first.
        settle: See `Job`.
        apart: A process for each subject, in turn: what one does to the memory of its process must not meet another.
        share: Of the settings' turns; slow steps need fewer.
        memory: Also measure the memory of each subject, in a process of its own.
        parts: Also measure the stages and branches of these subjects, which run eagerly.
        minutes: What it takes on two cores with 5 processes of 30 turns.
    """

    name: str
    title: str
    subjects: tuple[Subject, ...]
    settle: bool = True
    apart: bool = False
    share: float = 1.0
    memory: bool = False
    parts: tuple[str, ...] = ()
    minutes: float = 0.0

    def turns(self, settings: Settings) -> int:
        """Alternations of each process."""
        return max(1, round(settings.turns * self.share))

    def steps(self, settings: Settings) -> int:
        """Processes that it takes, at most."""
        looked_at = sum(one.role != LIMIT for one in self.subjects) if self.memory else 0
        timed = settings.processes * (len(self.subjects) if self.apart else 1)
        return 1 + timed + looked_at + bool(self.parts)

    def expected_minutes(self, settings: Settings) -> float:
        """About what it takes on two cores: half of it is making the networks ready, the rest grows with the turns."""
        part = settings.processes / _USUAL_PROCESSES
        return self.minutes * part * (0.5 + 0.5 * settings.turns / _USUAL_TURNS)


def run_plan(
    plan: Plan, settings: Settings, runner: Runner = run_process, tell: Callable[[str], None] = lambda text: None
) -> Run:
    """Measures a plan.

    Args:
        plan: What.
        settings: How.
        runner: Does a job; by default in a fresh process.
        tell: Is told each step before it begins.

    Raises:
        UserError: a subject cannot be made and the settings are strict, or one computes something else.
    """
    job = Job(
        "prepare",
        plan.subjects,
        str(settings.folder),
        settle=plan.settle,
        threads=settings.threads,
        device=settings.device,
    )
    tell("weights and files")
    prepared = runner(job)
    _refuse(prepared, settings)
    first = plan.subjects[0].name
    if first in prepared.refused:
        raise ConfigError(f"baseline {first} cannot be measured: {prepared.refused[first]}")
    subjects = tuple(one for one in plan.subjects if one.name not in prepared.refused)
    job = replace(job, subjects=subjects, turns=plan.turns(settings))
    outcomes = list(_times(job, plan.apart, settings, runner, tell)) if subjects else []
    stopped = {name for outcome in outcomes for name in outcome.refused}
    subjects = tuple(one for one in subjects if one.name not in stopped)
    outcomes += _further(plan, replace(job, subjects=subjects), runner, tell)
    measured = tuple(_joined(subject, prepared, outcomes) for subject in plan.subjects)
    numbers = (settings.processes, job.turns, settings.threads, plan.settle, plan.apart, settings.device)
    return Run(plan.name, plan.title, measured, *numbers)


def _times(job: Job, apart: bool, settings: Settings, runner: Runner, tell: Callable[[str], None]) -> Iterator[Outcome]:
    """Each process's times; another subject begins in each."""
    for number in range(settings.processes):
        first = number % len(job.subjects)
        jobs = [replace(job, task="times", first=first)]
        if apart:
            order = (*job.subjects[first:], *job.subjects[:first])
            jobs = [replace(job, task="times", subjects=(subject,)) for subject in order]
        for one in jobs:
            tell(f"process {number + 1} of {settings.processes}{f', {one.subjects[0].name}' if apart else ''}")
            outcome = runner(one)
            _refuse(outcome, settings)
            yield outcome


def _refuse(outcome: Outcome, settings: Settings) -> None:
    """Stops at what could not be made, where it must not be left out."""
    if settings.strict and outcome.refused:
        name, reason = next(iter(outcome.refused.items()))
        raise ConfigError(f"{name} cannot be measured: {reason}")


def _further(plan: Plan, job: Job, runner: Runner, tell: Callable[[str], None]) -> list[Outcome]:
    """Memory and parts, apart from the clock, of what could be timed; what fails here is left out."""
    outcomes = []
    for subject in job.subjects if plan.memory else ():
        if subject.role != LIMIT:
            tell(f"memory of {subject.name}")
            with suppress(UserError):
                outcomes.append(runner(replace(job, task="memory", subjects=(subject,))))
    looked_into = tuple(subject for subject in job.subjects if subject.name in plan.parts)
    if looked_into:
        tell("stages and branches")
        turns = min(job.turns, _TURNS_FOR_PARTS)
        with suppress(UserError):
            outcomes.append(runner(replace(job, task="parts", subjects=looked_into, turns=turns)))
    return outcomes


def _joined(subject: Subject, prepared: Outcome, outcomes: Sequence[Outcome]) -> Measured:
    """What all processes found of one subject."""
    name = subject.name
    differences = [one.differences[name] for one in outcomes if name in one.differences]

    def found(field: str) -> object:
        return next((values[name] for one in outcomes if name in (values := getattr(one, field))), 0)

    refused = prepared.refused.get(name) or found("refused") or ""
    times = () if refused else tuple(one.times[name] for one in outcomes if name in one.times)
    return Measured(
        subject,
        times=tuple(tuple(round(time, 7) for time in row) for row in times),
        difference=max(differences) if differences else None,
        parameters=prepared.parameters.get(name, 0),
        macs=prepared.macs.get(name, 0),
        convolution_macs=found("convolution_macs"),
        memory=found("memory"),
        gradient_memory=found("gradient_memory"),
        tensor_memory=found("tensor_memory"),
        parts=found("parts") or {},
        values=dict(subject.facts),
        refused=refused,
    )
