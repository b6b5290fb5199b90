"""The newest checkpoint of a folder from which a training can go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..compat.checkpoint_reading import read_checkpoint
from ..errors import CheckpointError
from .sums import fault_of


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
    """The checkpoint that has seen the most iterations, of those that are what was written.

    Weights alone, as published files and the best of a training are, are passed over in silence.

    Args:
        paths: Of `.pth` files.
    """
    known: list[tuple[int, int, Path]] = []
    skipped: list[tuple[Path, str]] = []
    for path in sorted(paths):
        try:
            iteration = _iteration(path)
        except CheckpointError as error:
            skipped.append((path, str(error.found)))
        else:
            if iteration is not None:
                known.append((iteration, path.stat().st_mtime_ns, path))
    for _, _, path in sorted(known, reverse=True):
        fault = fault_of(path)
        if not fault:
            return Newest(path, tuple(skipped))
        skipped.append((path, fault))
    return Newest(None, tuple(skipped))


def _iteration(path: Path) -> int | None:
    """Iterations that a checkpoint has seen; None where no training can go on from it.

    Raises:
        CheckpointError: it cannot be read.
    """
    checkpoint = read_checkpoint(path, mapped=True)
    meta = checkpoint.get("meta")
    iteration = meta.get("iter") if isinstance(meta, dict) else None
    resumable = "optimizer" in checkpoint and type(iteration) is int
    return iteration if resumable else None
