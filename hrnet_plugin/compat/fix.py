"""What a fix is, and what became of it in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

State = Literal["waiting", "not needed", "applied", "failed"]


@dataclass(frozen=True)
class Finding:
    """What a detection saw: whether the breakage is there, and by which sign."""

    broken: bool
    why: str


@dataclass(frozen=True)
class Report:
    """What became of one fix: its state and the reason, in a few words."""

    state: State
    why: str


@dataclass(frozen=True, kw_only=True)
class Fix:
    """One thing that upstream broke, and its mend.

    Attributes:
        name: Short name, shown by `hrnet doctor`.
        breakage: What a user sees without the fix.
        since: The version that broke it.
        target: Full name of the module at whose import the fix acts.
    """

    name: str
    breakage: str
    since: str
    target: str


@dataclass(frozen=True, kw_only=True)
class AfterImport(Fix):
    """Mends a module once it has been executed; at once where it is imported already."""

    detect: Callable[[ModuleType], Finding]
    act: Callable[[ModuleType], None]


@dataclass(frozen=True, kw_only=True)
class DuringImport(Fix):
    """Wraps the execution of a module in a context."""

    detect: Callable[[], Finding]
    context: Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class StandIn(Fix):
    """Takes the place of a module that no other finder finds.

    `detect` gets the folders of the parent package (None for a top-level module).
    """

    detect: Callable[[list[str] | None], Finding]
    source: Path
