"""Checks of whole pictures that have a class each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hrnet_plugin.findings import ERROR, NOTE, Finding, worst_first

from .clock import Clock
from .faults import EXAMPLES, KEPT, Kind
from .pictures import BROKEN_FILES, Picture, in_threads, look_at
from .report import DataReport, Frequency, FrequencyTable, Suspect

_RANGE = Kind(ERROR, "label-range", "labels", "image", "with a label beyond the classes")
_NEVER = Kind(NOTE, "class-never-occurs", "labels", "class", "without an image", do="What is not there is not learnt")


def check_labelled(
    files: Sequence[Path],
    labels: Sequence[int],
    classes: Sequence[str],
    title: str,
    *,
    images: bool = True,
    decode: bool = False,
    progress: bool = False,
) -> DataReport:
    """Checks pictures for classification.

    Args:
        files: The images.
        labels: The class of each, by its number.
        classes: Names of the classes.
        title: Of the report.
        images: Look at the files.
        decode: Decode them, rather than read their headers.
        progress: Show a progress bar, where stderr is a terminal.
    """
    clock = Clock()
    pictures = (
        list(in_threads(lambda path: look_at(path, decode), files, told="images", progress=progress)) if images else []
    )
    clock.tick("images")
    found = np.asarray(labels, np.int64)
    beyond = (found < 0) | (found >= len(classes))
    counts = np.bincount(found[~beyond], minlength=len(classes))
    findings, suspects = _broken(files, pictures)
    if beyond.any():
        told = tuple(f"{files[place].name}: {labels[place]}" for place in np.flatnonzero(beyond)[:EXAMPLES])
        findings.append(_RANGE.finding(title, int(beyond.sum()), told))
    absent = tuple(name for name, count in zip(classes, counts, strict=True) if not count)
    if absent:
        findings.append(_NEVER.finding(title, len(absent), absent[:EXAMPLES]))
    shares = counts / max(len(files), 1)
    rows = [
        Frequency(str(name), int(count), {"of images": float(share)})
        for name, count, share in zip(classes, counts, shares, strict=True)
    ]
    return DataReport(
        title=title,
        counts={"images": len(files), "classes": len(classes)},
        findings=worst_first(findings),
        frequencies=(FrequencyTable("class", "images", rows),),
        seconds=clock.seconds,
        suspects=suspects,
        files=tuple(files),
    )


def _broken(files: Sequence[Path], pictures: Sequence[Picture]) -> tuple[list[Finding], tuple[Suspect, ...]]:
    findings, suspects = [], []
    for wrong, kind in BROKEN_FILES.items():
        places = [place for place, picture in enumerate(pictures) if picture.wrong == wrong]
        if places:
            told = tuple(f"{files[place].name}: {pictures[place].why}".rstrip(": ") for place in places[:EXAMPLES])
            findings.append(kind.finding(str(files[places[0]].parent), len(places), told))
            suspects += [Suspect(files[place], kind.check, kind.level, files[place].name) for place in places[:KEPT]]
    return findings, tuple(suspects)
