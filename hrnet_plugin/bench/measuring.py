"""What one process does: makes weights and files ready, times by turns, or looks at its own memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from ..analysis.complexity import Complexity, count_complexity
from ..errors import UserError
from ..zoo.quiet import quiet
from .exports import export
from .limit import ConvolutionTimer, find_convolutions
from .memory import allocated_during, forget_peak, peak, size_of
from .networks import build_network, example_images, run
from .ready import Expectations, ready
from .stages import time_parts
from .subjects import DECODING, EAGER, INFERENCE, LIMIT, TRAINING, Job, Outcome, Subject
from .turns import CallTimer, Timer, alternate

#: Calls after which a network's memory no longer grows.
_CALLS_FOR_MEMORY = 3


def perform(job: Job) -> Outcome:
    """Does the work of a process.

    Raises:
        UserError: a subject cannot be made, or computes something else than its reference.
    """
    torch.set_num_threads(job.threads)
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32, on a card too
    Path(job.folder).mkdir(parents=True, exist_ok=True)
    with quiet():
        return TASKS[job.task](job)


def prepare(job: Job) -> Outcome:
    """Makes weights and exported files, and counts parameters and multiply-accumulates; what cannot be is told."""
    refused, parameters, macs = {}, {}, {}
    counted: dict[tuple, Complexity] = {}
    for subject in job.subjects:
        if subject.role == DECODING:  # no network takes part
            continue
        try:
            model = build_network(subject.network, subject.source, Path(job.folder))
            about = (subject.network.key, subject.network.size)
            if about not in counted:
                run(model, example_images(replace(subject.network, batch=1)), subject.network)
                counted[about] = count_complexity(model, subject.network.size)
            parameters[subject.name], macs[subject.name] = counted[about].parameters, counted[about].macs
            if subject.role == INFERENCE and subject.runtime != EAGER:
                export(subject, model, Path(job.folder))
        except UserError as error:
            refused[subject.name] = str(error)
    return Outcome(refused=refused, parameters=parameters, macs=macs)


def measure_times(job: Job) -> Outcome:
    """Times all subjects by turns, after comparing each with its reference; one that fails is left out and told."""
    expectations = Expectations(job.folder)
    timers: dict[str, Timer] = {}
    differences, macs, refused = {}, {}, {}
    for subject in job.subjects:
        name = subject.name
        try:
            if subject.role == LIMIT:
                timers[name] = _limit(subject, job)
                macs[name] = sum(one.macs for one in timers[name].convolutions)
                continue
            if subject.role == TRAINING:
                call, differences[name] = _training(subject, job)
            elif subject.role == DECODING:
                call, differences[name] = _decoding(subject)
            else:
                call = ready(subject, job)
                differences[name] = expectations.check(subject, call())
            timers[name] = CallTimer(call, job.device)
        except UserError as error:
            refused[name] = str(error)
    expectations.forget()
    times = alternate(timers, job.turns, job.settle, job.first) if timers else {}
    return Outcome(times=times, differences=differences, convolution_macs=macs, refused=refused)


def _limit(subject: Subject, job: Job) -> ConvolutionTimer:
    model = build_network(subject.network, subject.source, Path(job.folder))
    return ConvolutionTimer(find_convolutions(model, example_images(subject.network)), job.device)


def _decoding(subject: Subject) -> tuple[Callable[[], object], float]:
    from .decoding import decoding

    return decoding(subject)


def _training(subject: Subject, job: Job) -> tuple[Callable[[], None], float]:
    """A training step whose first loss is that of its reference."""
    from .training import TrainingStep, check_first_loss

    step = TrainingStep(subject, job)
    source = subject.source
    # In a file, since the reference may have its own process.
    about = f"{source.key}-{source.size[0]}x{source.size[1]}-{source.batch}"
    known = Path(job.folder) / f"first-loss-{about}.json"
    if subject.reference is None:
        step()
        known.write_text(json.dumps(float(step.losses[0])), encoding="utf-8")
        return step, 0.0
    return step, check_first_loss(step, json.loads(known.read_text(encoding="utf-8")), subject)


def measure_memory(job: Job) -> Outcome:
    """The most memory that calling the one subject takes; the process should be a fresh one."""
    (subject,) = job.subjects
    if subject.role == TRAINING:
        return _memory_of_training(subject, job)
    return Outcome(memory={subject.name: _peak_of(ready(subject, job), job.device)})


def _memory_of_training(subject: Subject, job: Job) -> Outcome:
    """Gradients first: what the optimizer remembers comes with its first step."""
    from .training import TrainingStep

    step, name = TrainingStep(subject, job), subject.name
    without = _peak_of(step.find_gradients, job.device)
    whole = _peak_of(step, job.device)
    tensors = size_of(step.kept_tensors()) + allocated_during(step, job.device)
    return Outcome(memory={name: whole}, gradient_memory={name: without}, tensor_memory={name: tensors})


def _peak_of(call: Callable[[], object], device: str) -> int:
    forget_peak()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for _ in range(_CALLS_FOR_MEMORY):
        call()
    return torch.cuda.max_memory_allocated() if device == "cuda" else peak()


def measure_parts(job: Job) -> Outcome:
    """The time of each stage and branch of the subjects, which run eagerly."""
    parts = {}
    for subject in job.subjects:
        model = build_network(subject.network, subject.source, Path(job.folder)).to(job.device)
        parts[subject.name] = time_parts(model, example_images(subject.network, job.device), job.turns)
    return Outcome(parts=parts)


TASKS: Mapping[str, Callable[[Job], Outcome]] = {
    "prepare": prepare,
    "times": measure_times,
    "memory": measure_memory,
    "parts": measure_parts,
}
