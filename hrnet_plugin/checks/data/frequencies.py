"""How often each keypoint is labelled, and how often each class occurs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hrnet_plugin.findings import NOTE

from .faults import Fault, Kind
from .report import Frequency, FrequencyTable
from .table import CocoTable, key

_NEVER = {
    "keypoint": Kind(
        NOTE,
        "keypoint-never-labelled",
        "keypoints",
        "keypoint",
        "that no annotation labels",
        do="What is not there is not learnt",
    ),
    "class": Kind(
        NOTE,
        "class-never-occurs",
        "annotations.category_id",
        "category",
        "without an annotation",
        do="What is not there is not learnt",
    ),
}


def keypoint_frequencies(table: CocoTable, names: Sequence[str]) -> list[Frequency]:
    """For each keypoint, in how many annotations it is labelled, and the shares of those with any keypoint in which it
    is labelled, visible, occluded.
    """
    of = max(int(table.has_labels.sum()), 1)
    labelled, flags = table.labelled.sum(0), table.keypoints[..., 2]
    visible, occluded = (flags == 2).sum(0), (flags == 1).sum(0)
    return [
        Frequency(
            name,
            int(labelled[index]),
            {
                "labelled": float(labelled[index] / of),
                "visible": float(visible[index] / of),
                "occluded": float(occluded[index] / of),
            },
        )
        for index, name in enumerate(names)
    ]


def class_frequencies(table: CocoTable) -> list[Frequency]:
    """For each category, its annotations, and its shares of all annotations and of the images."""
    places = {key(row.get("id")): place for place, row in enumerate(table.categories)}
    found = np.array([places.get(key(value), -1) for value in table.column("category_id")], np.int64)
    counts = np.bincount(found[found >= 0], minlength=len(table.categories))
    pairs = np.unique(np.column_stack([found, table.image_of])[found >= 0], axis=0)
    images = np.bincount(pairs[:, 0], minlength=len(table.categories))
    total, pictures = max(len(table.annotations), 1), max(len(table.images), 1)
    return [
        Frequency(
            str(row.get("name", row.get("id"))),
            int(counts[place]),
            {"of annotations": float(counts[place] / total), "in images": float(images[place] / pictures)},
        )
        for place, row in enumerate(table.categories)
    ]


def check_frequencies(table: CocoTable, counted: Sequence[FrequencyTable]) -> Iterator[Fault]:
    """Keypoints that are never labelled and categories that never occur."""
    for counts in counted:
        absent = tuple(row.name for row in counts.rows if not row.count)
        if absent and len(absent) < len(counts.rows):  # else an error says so
            yield from _NEVER[counts.what].of_file(table, absent)
