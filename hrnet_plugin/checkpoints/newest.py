"""The newest checkpoint of a folder from which a training can go on.

Iterations do not tell: they are counted anew after a change of the batch, and a training that goes on from an earlier
checkpoint has fewer than the one that it leaves. So savings are numbered (`meta`, :data:`NUMBER`), across stops, in the
way of Lamport's clocks: each training begins above all numbers that stand in its folder and that of its checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..compat.checkpoint_reading import read_checkpoint
from ..errors import CheckpointError
from .sums import fault_of

#: Under which `meta` of a checkpoint has the number of its saving.
NUMBER = "saving_number"


@dataclass(frozen=True, order=True)
class Saved:
    """When a checkpoint was saved: what was saved later is greater.

    Args:
        number: Of its saving; 0 where it has none, as mmengine's, which count as earlier than all others.
        iteration: Iterations that it has seen.
        written: Time of its file, in ns.
        resumable: Whether a training can go on from it; weights alone, as the best of a training are, cannot.
    """

    number: int
    iteration: int
    written: int
    resumable: bool = field(compare=False)


@dataclass(frozen=True)
class Newest:
    """What was found.

    Args:
        path: The newest that is sound; None where none is.
        skipped: Newer ones, or all, and what is wrong with each.
    """

    path: Path | None
    skipped: tuple[tuple[Path, str], ...]


def find_newest(paths: Iterable[Path]) -> Newest:
    """The checkpoint that was saved last, of those that are what was written.

    Weights alone, as published files and the best of a training are, are passed over in silence, and so is what other
    programs have saved.

    Args:
        paths: Of `.pth` files.
    """
    known: list[tuple[Saved, Path]] = []
    skipped: list[tuple[Path, str]] = []
    for path in sorted(paths):
        try:
            saved = when_saved(path)
        except CheckpointError as error:
            skipped.append((path, str(error.found)))
        else:
            if saved is not None and saved.resumable:
                known.append((saved, path))
    for _, path in sorted(known, reverse=True):
        fault = fault_of(path)
        if not fault:
            return Newest(path, tuple(skipped))
        skipped.append((path, fault))
    return Newest(None, tuple(skipped))


def when_saved(path: Path) -> Saved | None:
    """When a checkpoint was saved; None where it does not say.

    Raises:
        CheckpointError: it cannot be read.
    """
    checkpoint = read_checkpoint(path, mapped=True)
    meta = checkpoint.get("meta")
    iteration = meta.get("iter") if isinstance(meta, Mapping) else None
    if type(iteration) is not int:
        return None
    resumable = {"optimizer", "message_hub"} <= checkpoint.keys()  # mmcv 1 had none of the latter
    return Saved(number_of(meta), iteration, path.stat().st_mtime_ns, resumable)


def number_of(meta: object) -> int:
    """The number of a saving, from a checkpoint's `meta`; 0 where there is none."""
    number = meta.get(NUMBER) if isinstance(meta, Mapping) else None
    return number if type(number) is int and number > 0 else 0
