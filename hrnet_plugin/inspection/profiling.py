"""Where time and memory go, stage by stage and branch by branch, from torch's profiler.

Each module at the border of a place opens a range while it runs. A range counts what happens in it but for the ranges
within. The backward pass is booked on the place whose forward operator it belongs to, by autograd's sequence numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from .places import HEAD, OTHER, Place, Places

if TYPE_CHECKING:
    from torch.autograd.profiler_util import FunctionEvent

_RANGE = "hrnet: "
_BACKWARD = "autograd::engine::evaluate_function: "
#: What stands outside every module: losses, the sums of gradients.
ELSEWHERE = Place("elsewhere", OTHER)


@dataclass(frozen=True)
class PartTime:
    """What a place takes in one step.

    Args:
        forward, backward: Seconds; on a GPU those of its kernels.
        allocated: Bytes that its forward operators allocate, whether they are freed again or not.
        kept: Bytes of those that are still there when it is done: what goes on, and what the backward pass needs.
    """

    forward: float = 0.0
    backward: float = 0.0
    allocated: float = 0.0
    kept: float = 0.0

    @property
    def seconds(self) -> float:
        """Of both passes."""
        return self.forward + self.backward

    def __add__(self, other: PartTime) -> PartTime:
        return PartTime(
            self.forward + other.forward,
            self.backward + other.backward,
            self.allocated + other.allocated,
            self.kept + other.kept,
        )


@dataclass(frozen=True)
class Profile:
    """Times and memory of a network's places.

    Args:
        parts: Means of one step, with the profiler, which slows small operators.
        step: Seconds of one step without the profiler, the median.
        steps: How many were taken for each of the two.
        device: `cpu` or `cuda`.
    """

    parts: Mapping[Place, PartTime]
    step: float
    steps: int
    device: str

    @property
    def total(self) -> PartTime:
        """All places together."""
        return sum(self.parts.values(), PartTime())


def profile_network(
    network: nn.Module,
    step: Callable[[], object],
    *,
    steps: int = 3,
    device: str = "cpu",
    trace: str | Path | None = None,
) -> Profile:
    """Profiles a few steps.

    Args:
        network: Whose places are told apart.
        step: One step: a forward pass, with or without its backward pass.
        steps: How many, without and with the profiler.
        device: `cpu` or `cuda`.
        trace: A file for Chrome's trace viewer (chrome://tracing, or https://ui.perfetto.dev).
    """
    step()
    plain = median(_clocked(step, device) for _ in range(steps))
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    with _ranges(network), profile(activities=activities, profile_memory=True) as record:
        for _ in range(steps):
            step()
        if device == "cuda":
            torch.cuda.synchronize()
    if trace is not None:
        record.export_chrome_trace(str(trace))
    found = _Booking(Places(network), network, device).book(record.events())
    return Profile({place: _divided(one, steps) for place, one in found.items()}, plain, steps, device)


def border_modules(network: nn.Module) -> Iterator[str]:
    """The modules whose place is another than that of what holds them, the network itself first."""
    places = Places(network)
    for name, _ in network.named_modules():
        parent = name.rpartition(".")[0]
        if not name or not parent or places.of(name) != places.of(parent):
            yield name


@contextmanager
def _ranges(network: nn.Module) -> Iterator[None]:
    """Opens a range in each border module while it runs."""
    modules = dict(network.named_modules())
    handles, running = [], []

    def entering(name: str) -> Callable:
        def enter(module: nn.Module, args: object) -> None:
            opened = record_function(_RANGE + name)
            opened.__enter__()
            running.append(opened)

        return enter

    def leave(module: nn.Module, args: object, output: object) -> None:
        running.pop().__exit__(None, None, None)

    try:
        for name in border_modules(network):
            handles.append(modules[name].register_forward_pre_hook(entering(name)))
            handles.append(modules[name].register_forward_hook(leave, always_call=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Booking:
    """Adds events up by place.

    Args:
        places: Of the network.
        network: One with `heads` does nothing beside backbone and neck but its heads' work.
        device: Whose time counts.
    """

    def __init__(self, places: Places, network: nn.Module, device: str):
        self._places = places
        self._beside = Place("head", HEAD) if len(getattr(network, "heads", ())) else ELSEWHERE
        self._on_card = device == "cuda"
        in_order = (places.of(name) for name, _ in network.named_modules() if name)
        self._found = dict.fromkeys(in_order, PartTime())

    def book(self, events: list[FunctionEvent]) -> dict[Place, PartTime]:
        """Times in seconds and bytes of all steps together, in the network's order."""
        on_host = [event for event in events if event.device_type == torch.autograd.DeviceType.CPU]
        by_sequence: dict[int, Place] = {}
        backward: list[FunctionEvent] = []
        for event in on_host:
            within = _enclosing(event)
            if event.name.startswith(_RANGE):
                self._book_range(event, within)
            elif event.name.startswith(_BACKWARD):
                backward.append(event)
            elif within is not None and not within.name.startswith(_BACKWARD):
                place = self._place(within)
                self._add(place, PartTime(allocated=max(self._own_memory(event), 0)))
                if event.sequence_nr >= 0:
                    by_sequence[event.sequence_nr] = place
        for event in backward:
            self._add(by_sequence.get(event.sequence_nr, ELSEWHERE), PartTime(backward=self._seconds(event)))
        return {place: part for place, part in self._found.items() if part != PartTime()}

    def _book_range(self, event: FunctionEvent, within: FunctionEvent | None) -> None:
        own = PartTime(forward=self._seconds(event), kept=self._memory(event))
        self._add(self._place(event), own)
        if within is None:
            return
        if within.name.startswith(_RANGE):
            self._add(self._place(within), PartTime(forward=-own.forward, kept=-own.kept))
        else:  # recomputed in the backward pass, which has counted it already
            self._add(self._place(event), PartTime(forward=-own.forward, kept=-own.kept))

    def _place(self, event: FunctionEvent) -> Place:
        name = event.name.removeprefix(_RANGE)
        place = self._places.of(name)
        return self._beside if not name and place.kind == OTHER else place

    def _add(self, place: Place, more: PartTime) -> None:
        self._found[place] = self._found.get(place, PartTime()) + more

    def _seconds(self, event: FunctionEvent) -> float:
        return (event.device_time_total if self._on_card else event.cpu_time_total) * 1e-6

    def _memory(self, event: FunctionEvent) -> int:
        return event.device_memory_usage if self._on_card else event.cpu_memory_usage

    def _own_memory(self, event: FunctionEvent) -> int:
        return event.self_device_memory_usage if self._on_card else event.self_cpu_memory_usage


def _enclosing(event: FunctionEvent) -> FunctionEvent | None:
    """The nearest range or backward function around an event."""
    outer = event.cpu_parent
    while outer is not None and not outer.name.startswith((_RANGE, _BACKWARD)):
        outer = outer.cpu_parent
    return outer


def _clocked(step: Callable[[], object], device: str) -> float:
    started = perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return perf_counter() - started


def _divided(part: PartTime, steps: int) -> PartTime:
    return PartTime(part.forward / steps, part.backward / steps, part.allocated / steps, part.kept / steps)
