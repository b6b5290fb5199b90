"""Checks of whole pictures that have a class each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hrnet_plugin.findings import ERROR, NOTE, Finding, worst_first

from .clock import Clock
from .faults import EXAMPLES, KEPT, Kind
from .pictures import BROKEN_FILES, Picture, in_threads, look_at
from .report import DataReport, Frequency, FrequencyTable, Suspect

_RANGE = Kind(ERROR, "label-range", "labels", "image", "with a label beyond the classes")
_COUNT = Kind(ERROR, "class-count", "classes", "class", "in the data")
_NEVER = Kind(NOTE, "class-never-occurs", "labels", "class", "without an image", do="What is not there is not learnt")


def check_labelled(
    files: Sequence[Path],
    labels: Sequence[int | Sequence[int]],
    classes: Sequence[str] | None,
    title: str,
    *,
    outputs: int | None = None,
    images: bool = True,
    decode: bool = False,
    progress: bool = False,
) -> DataReport:
    """Checks pictures for classification.

    Args:
        files: The images.
        labels: The class of each, by its number; several where an image may have more than one.
        classes: Names of the classes; None where the data set names none.
        title: Of the report.
        outputs: How many classes the model's head tells apart; None where nothing is known.
        images: Look at the files.
        decode: Decode them, rather than read their headers.
        progress: Show a progress bar, where stderr is a terminal.
    """
    clock = Clock()
    pictures = (
        list(in_threads(lambda path: look_at(path, decode), files, told="images", progress=progress)) if images else []
    )
    clock.tick("images")
    owners = np.repeat(np.arange(len(files)), [np.size(label) for label in labels])
    found = np.concatenate([np.ravel(label) for label in labels]).astype(np.int64)
    names = classes or [str(label) for label in range(outputs or int(found.max(initial=-1)) + 1)]
    findings, suspects = _broken(files, pictures)
    if outputs is not None and classes and len(classes) != outputs:
        expected = f"{outputs}, as many as the model's head tells apart (num_classes)"
        findings.append(replace(_COUNT, expected=expected).finding(title, len(classes)))
    limit = min(len(names), outputs or len(names))
    beyond = (found < 0) | (found >= limit)
    if beyond.any():
        told = tuple(f"{files[owners[at]].name}: {found[at]}" for at in np.flatnonzero(beyond)[:EXAMPLES])
        why = f" (num_classes of the model's head is {outputs})" if outputs == limit else ""
        kind = replace(_RANGE, expected=f"0 to {limit - 1}{why}")
        findings.append(kind.finding(title, len(np.unique(owners[beyond])), told))
    counts = np.bincount(found[(found >= 0) & (found < len(names))], minlength=len(names))
    absent = tuple(name for name, count in zip(names, counts, strict=True) if not count)
    if absent and len(found):
        findings.append(_NEVER.finding(title, len(absent), absent[:EXAMPLES]))
    shares = counts / max(len(files), 1)
    rows = [
        Frequency(str(name), int(count), {"of images": float(share)})
        for name, count, share in zip(names, counts, shares, strict=True)
    ]
    return DataReport(
        title=title,
        counts={"images": len(files), "classes": len(names)},
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
