"""Keypoints: their number, values and visibility flags, and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from hrnet_plugin.findings import ERROR, NOTE

from .boxes import ROUNDING
from .columns import numbers
from .faults import Fault, Kind
from .table import CocoTable

_COUNT = Kind(ERROR, "keypoint-count", "keypoints", "annotation", "with another number of values")
_NUMBERS = Kind(ERROR, "keypoint-numbers", "keypoints", "annotation", "with values that are no finite numbers")
_VISIBILITY = Kind(
    ERROR,
    "keypoint-visibility",
    "keypoints",
    "annotation",
    "with a visibility flag that is none of COCO's",
    "0 (not labelled), 1 (labelled, occluded) or 2 (visible)",
)
_TOLD = Kind(ERROR, "num-keypoints", "num_keypoints", "annotation", "where it is not the number of labelled keypoints")
_OUTSIDE = Kind(
    ERROR,
    "keypoint-outside",
    "keypoints",
    "annotation",
    f"with a labelled keypoint more than {ROUNDING:g} pixels outside the image",
)
_AT_EDGE = Kind(
    NOTE,
    "keypoint-beyond-edge",
    "keypoints",
    "annotation",
    f"with a labelled keypoint up to {ROUNDING:g} pixels outside the image",
)
_SHARES = Kind(
    ERROR,
    "keypoint-shares",
    "keypoints",
    "annotation",
    "with all places within 0 to 1, as shares of the image",
    "pixels",
    "Multiply x and y by the image's size",
)
_OUTSIDE_BOX = Kind(
    NOTE,
    "keypoint-outside-box",
    "keypoints",
    "annotation",
    f"with a labelled keypoint more than {ROUNDING:g} pixels outside the box",
)
_ORIGIN = Kind(
    ERROR,
    "keypoint-at-origin",
    "keypoints",
    "annotation",
    "with several labelled keypoints at (0, 0)",
    "visibility 0 for keypoints that are not labelled",
)
_UNLABELLED = Kind(
    NOTE, "keypoint-not-labelled", "keypoints", "annotation", "with a keypoint of visibility 0 that has a place",
    do="It is not learnt",
)  # fmt: skip
_NONE = Kind(NOTE, "no-keypoints", "keypoints", "annotation", "without a labelled keypoint", do="Left out in training")
_NOTHING = Kind(ERROR, "nothing-labelled", "keypoints", "", "no labelled keypoint in the whole file")
_CROWD = Kind(NOTE, "crowd", "iscrowd", "annotation", "of a crowd", do="Left out in training")


def check_keypoints(table: CocoTable, names: Sequence[str], *, scored: bool = False) -> Iterator[Fault]:
    """Keypoints, each annotation for itself.

    Args:
        table: With boxes as x, y, width, height.
        names: Of the K keypoints.
        scored: The data set takes any flag above 0 for labelled.
    """
    yield from _check_values(table, scored)
    yield from _CROWD.of_annotations(table, table.crowds)
    yield from _NONE.of_annotations(table, table.well_formed & ~table.has_labels & ~table.crowds)
    if table.well_formed.any() and not table.has_labels.any():
        yield from _NOTHING.of_file(table)
    if _are_shares(table):
        yield from _SHARES.of_annotations(table, table.has_labels)
        return
    yield from _check_places(table, names)


def _check_values(table: CocoTable, scored: bool) -> Iterator[Fault]:
    right = table.lengths == 3 * table.count
    count = replace(_COUNT, expected=f"{3 * table.count}: x, y, visibility of {table.count} keypoints")
    absent = None if table.mpii else ...  # MPII's annotations may have none
    given = np.array([row.get("keypoints", absent) is not absent for row in table.annotations], bool)
    yield from count.of_annotations(table, given & ~right, lambda place: f"{max(table.lengths[place], 0)} values")
    yield from _NUMBERS.of_annotations(table, right & ~table.well_formed)
    flags = table.keypoints[..., 2]
    strange = ~np.isin(flags, (0, 1, 2))
    kind = replace(_VISIBILITY, level=NOTE) if scored else _VISIBILITY
    yield from kind.of_annotations(
        table, strange.any(1), lambda place: ", ".join(f"{flag:g}" for flag in np.unique(flags[place][strange[place]]))
    )
    told, labelled = numbers(table.column("num_keypoints")), table.labelled.sum(1)
    wrong = np.isfinite(told) & table.well_formed & (told != labelled)
    yield from _TOLD.of_annotations(table, wrong, lambda place: f"{told[place]:g}, labelled {labelled[place]}")


def _check_places(table: CocoTable, names: Sequence[str]) -> Iterator[Fault]:
    places, labelled = table.keypoints[..., :2], table.labelled

    def worst(far: np.ndarray) -> Callable[[int], str]:
        return lambda at: _told(names, places[at], int(far[at].argmax()))

    with np.errstate(invalid="ignore"):
        far = _beyond(places, np.zeros((len(places), 2)), table.image_sizes, labelled)
        outside = far.max(1, initial=0.0) > ROUNDING
        yield from _OUTSIDE.of_annotations(table, outside, worst(far), far.max(1, initial=0.0))
        at_edge = ~outside & (far.max(1, initial=0.0) > 0)
        yield from _AT_EDGE.of_annotations(table, at_edge, worst(far), far.max(1, initial=0.0))
        low, high = table.boxes[:, :2], table.boxes[:, :2] + table.boxes[:, 2:]
        from_box = _beyond(places, low, high, labelled)
        beside = from_box.max(1, initial=0.0) > ROUNDING
        yield from _OUTSIDE_BOX.of_annotations(table, beside, worst(from_box), from_box.max(1, initial=0.0))
    at_origin = labelled & (places == 0).all(2)
    yield from _ORIGIN.of_annotations(
        table, at_origin.sum(1) > 1, lambda at: ", ".join(names[index] for index in np.flatnonzero(at_origin[at])[:4])
    )
    placed = ~labelled & (places != 0).any(2)
    yield from _UNLABELLED.of_annotations(
        table, placed.any(1), lambda at: ", ".join(names[index] for index in np.flatnonzero(placed[at])[:4])
    )


def _beyond(places: np.ndarray, low: np.ndarray, high: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """How far labelled keypoints lie outside of (N, 2) limits, (N, K) pixels; 0 inside and where they are unknown."""
    far = np.maximum(low[:, None] - places, places - high[:, None]).max(2)
    return np.where(labelled, np.nan_to_num(np.maximum(far, 0.0), nan=0.0, posinf=0.0), 0.0)


def _are_shares(table: CocoTable) -> bool:
    """Whether all labelled keypoints lie within 0 to 1, some of them not at a corner of that."""
    places = table.keypoints[..., :2][table.labelled]
    large = table.sizes[np.isfinite(table.sizes).all(1)]
    within = len(places) and places.min() >= 0 and places.max() <= 1 and (places % 1 != 0).any()
    return bool(within and len(large) and large.min() > 10)


def _told(names: Sequence[str], places: np.ndarray, index: int) -> str:
    x, y = places[index]
    return f"{names[index]} at ({x:g}, {y:g})"
