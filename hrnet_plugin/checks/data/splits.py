"""Images that stand in two splits."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from hrnet_plugin.findings import NOTE

from .faults import EXAMPLES, Kind
from .report import DataReport

_SHARED = Kind(
    NOTE,
    "splits-overlap",
    "images",
    "image",
    "in both",
    do="What is trained on measures nothing",
)


def check_splits(reports: Sequence[tuple[tuple[str, ...], DataReport]], *, images: bool = True) -> list[DataReport]:
    """A report for each two data sets of different splits that share images.

    The same file counts, and a file of the same name with the same content.

    Args:
        reports: Of each data set, with the splits that it is in.
        images: Files may be opened.
    """
    found = []
    for (first, one), (second, other) in combinations(reports, 2):
        if set(first) & set(second):
            continue
        shared = _shared(one.files, other.files, images)
        if shared:
            title = f"{', '.join(first)} and {', '.join(second)}"
            told = tuple(path.name for path in shared[:EXAMPLES])
            found.append(
                DataReport(title, {"images in both": len(shared)}, (_SHARED.finding(title, len(shared), told),))
            )
    return found


def _shared(one: Sequence[Path], other: Sequence[Path], images: bool) -> list[Path]:
    named: dict[str, list[Path]] = {}
    for path in one:
        named.setdefault(path.name, []).append(path)
    return [path for path in other if any(_same(path, twin, images) for twin in named.get(path.name, ()))]


def _same(one: Path, other: Path, images: bool) -> bool:
    if os.path.abspath(one) == os.path.abspath(other):
        return True
    try:
        return images and filecmp.cmp(one, other, shallow=False)
    except OSError:  # missing ones are told elsewhere
        return False
