"""Timing by turns: every subject once, then every subject again, so that what the machine does meanwhile meets all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Protocol

import torch


class Timer(Protocol):
    """What is timed in turns."""

    @property
    def seconds(self) -> tuple[float, ...]:
        """What was measured so far."""

    def turn(self, settle: bool = True) -> None:
        """Measures once; with `settle`, after an untimed call."""


class CallTimer:
    """Times a call.

    Args:
        call: What is timed.
        device: On `cuda`, the card's work is waited for.
    """

    def __init__(self, call: Callable[[], object], device: str = "cpu"):
        self._call = call
        self._times: list[float] = []
        self._wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    def turn(self, settle: bool = True) -> None:
        """One timed call."""
        if settle:
            self._call()
        self._wait()
        begun = perf_counter()
        self._call()
        self._wait()
        self._times.append(perf_counter() - begun)

    @property
    def seconds(self) -> tuple[float, ...]:
        """Of each turn."""
        return tuple(self._times)


def alternate(
    timers: Mapping[str, Timer], turns: int, settle: bool = True, first: int = 0
) -> dict[str, tuple[float, ...]]:
    """Lets each timer have its turns; who begins moves on by one at each.

    Args:
        timers: By name.
        turns: How often each is timed.
        settle: Let each be called once untimed before each timed call.
        first: Which one begins.

    Returns:
        The seconds of each.
    """
    names = list(timers)
    for turn in range(turns):
        begin = (first + turn) % len(names)
        for name in names[begin:] + names[:begin]:
            timers[name].turn(settle)
    return {name: timer.seconds for name, timer in timers.items()}
