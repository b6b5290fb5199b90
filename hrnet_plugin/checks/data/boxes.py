"""Boxes and areas: numbers, x y width height, inside the image, of some size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from hrnet_plugin.findings import ERROR, NOTE

from .faults import Fault, Kind
from .table import CocoTable

#: Pixels by which rounding may bring a place over the image's edge.
ROUNDING = 2.0
#: A file whose boxes could all be corners holds corners where at least this share would leave their images.
_LEAVING = 0.25
#: From how many boxes on that can be told.
_FEWEST = 3

_MISSING = Kind(
    ERROR, "box-missing", "bbox", "annotation", "without a box", do="mmpose leaves out what has none without a word"
)
_NUMBERS = Kind(ERROR, "box-numbers", "bbox", "box", "not of four finite numbers", "[x, y, width, height]")
_EMPTY = Kind(ERROR, "box-empty", "bbox", "box", "without width or height", "more than 0 pixels")
_EMPTY_NOTE = replace(_EMPTY, level=NOTE, do="Left out in training")
_OUTSIDE = Kind(ERROR, "box-outside", "bbox", "box", "wholly outside the image")
_BEYOND = Kind(NOTE, "box-beyond-edge", "bbox", "box", f"reaching more than {ROUNDING:g} pixels out of the image")
_CORNERS = Kind(
    ERROR,
    "box-corners",
    "bbox",
    "box",
    "by the look of it of two corners, [x1, y1, x2, y2]",
    "[x, y, width, height]",
    "Subtract; the other checks took them as corners",
)
_SHARES = Kind(
    ERROR, "box-shares", "bbox", "box", "within 0 to 1, as shares of the image", "pixels", "Multiply by its size"
)
_AREA = Kind(
    ERROR,
    "area-zero",
    "area",
    "annotation",
    "of no area",
    "more than 0",
    "The keypoint similarity (OKS) divides by it",
)
_AREA_NOTE = replace(_AREA, level=NOTE, do="Left out in training")
_AREA_NUMBERS = Kind(ERROR, "area-numbers", "area", "area", "not a finite number of 0 or more")
_AREA_MISSING = Kind(ERROR, "area-missing", "area", "annotation", "without an area")
_AREA_ASKED = replace(_AREA_MISSING, expected="one, which mmdet asks for")
_AREA_GUESSED = replace(
    _AREA_MISSING,
    level=NOTE,
    do="mmpose trains with 0.53 of the box's; an evaluation by CocoMetric stops at it, unless `use_area` is False",
)


def with_boxes_as_sizes(table: CocoTable) -> tuple[CocoTable, list[Fault]]:
    """The table with x, y, width, height where the file has corners, and that fault."""
    corners = _corners(table)
    if not corners.any():
        return table, []
    faults = _CORNERS.of_annotations(table, corners, lambda place: _told(table.boxes[place]))
    rows = list(table.annotations)
    for place in np.flatnonzero(corners):
        left, top, right, bottom = table.boxes[place].tolist()
        rows[place] = {**rows[place], "bbox": [left, top, right - left, bottom - top]}
    return replace(table, annotations=rows), faults


def check_boxes(table: CocoTable, *, detection: bool, by_area: Sequence[str] = ()) -> Iterator[Fault]:
    """Boxes and areas.

    Args:
        table: With boxes as x, y, width, height.
        detection: The boxes themselves are learnt, and areas are asked for.
        by_area: Names of the metrics that divide by the areas.
    """
    boxes, sizes = table.boxes, table.image_sizes
    given = np.array([row.get("bbox") is not None for row in table.annotations], bool)
    framed = np.array(["center" in row and "scale" in row for row in table.annotations], bool)
    yield from _MISSING.of_annotations(table, ~given & ~framed)
    finite = np.isfinite(boxes).all(1)
    yield from _NUMBERS.of_annotations(table, given & ~finite, lambda place: str(table.annotations[place]["bbox"])[:80])
    told = lambda place: _told(boxes[place])  # noqa: E731
    if _shares(table, finite):
        yield from _SHARES.of_annotations(table, finite, told)
        return
    empty = finite & (boxes[:, 2:] <= 0).any(1)
    learnt = np.full(len(boxes), False) if detection else table.has_labels
    yield from _EMPTY.of_annotations(table, empty & learnt, told)
    yield from _EMPTY_NOTE.of_annotations(table, empty & ~learnt, told)
    reach = _reach(boxes, sizes)
    apart = (boxes[:, :2] >= sizes).any(1) | (boxes[:, :2] + boxes[:, 2:] <= 0).any(1)
    outside = finite & ~empty & apart & (reach > ROUNDING)
    yield from _OUTSIDE.of_annotations(table, outside, told, reach)
    yield from _BEYOND.of_annotations(table, finite & ~empty & ~outside & (reach > ROUNDING), told, reach)
    yield from _check_areas(table, learnt)
    missing = np.array(["area" not in row for row in table.annotations], bool)
    if detection:
        yield from _AREA_ASKED.of_annotations(table, missing)
    elif by_area:
        yield from _area_divides(by_area).of_annotations(table, missing)
    elif not (table.mpii or table.joined):  # whose areas may be those of other subjects
        yield from _AREA_GUESSED.of_annotations(table, missing)


def _area_divides(metrics: Sequence[str]) -> Kind:
    """The kind of a missing area at which an evaluation stops."""
    do = "The first evaluation stops at it; with `use_area=False` the metric takes 0.53 of the box's"
    return replace(_AREA_MISSING, expected=f"one, by which {' and '.join(metrics)} divides", do=do)


def _check_areas(table: CocoTable, learnt: np.ndarray) -> Iterator[Fault]:
    given = np.array(["area" in row for row in table.annotations], bool)
    usable = np.isfinite(table.areas) & (table.areas >= 0)
    yield from _AREA_NUMBERS.of_annotations(
        table, given & ~usable, lambda place: str(table.annotations[place]["area"])[:80]
    )
    zero = usable & (table.areas == 0)
    yield from _AREA.of_annotations(table, zero & learnt)
    yield from _AREA_NOTE.of_annotations(table, zero & ~learnt)


def _reach(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """How far each box reaches out of its image, (N,) pixels; negative inside, 0 where the image's size is unknown."""
    far = np.maximum(-boxes[:, :2], boxes[:, :2] + boxes[:, 2:] - sizes).max(1)
    return np.nan_to_num(far, nan=0.0, posinf=0.0, neginf=0.0)


def _corners(table: CocoTable) -> np.ndarray:
    """Which boxes are corners: all that could be, where nearly all could be and many would leave their images."""
    boxes, sizes, none = table.boxes, table.image_sizes, np.zeros(len(table.annotations), bool)
    known = np.isfinite(boxes).all(1) & np.isfinite(sizes).all(1) & (boxes[:, 2:] > 0).all(1)
    with np.errstate(invalid="ignore"):
        possible = known & (boxes[:, 2:] > boxes[:, :2]).all(1) & (boxes[:, 2:] <= sizes + ROUNDING).all(1)
    leaving = possible & (_reach(boxes, sizes) > ROUNDING)
    if known.sum() < _FEWEST or possible.sum() < 0.98 * known.sum() or leaving.sum() < _LEAVING * known.sum():
        return none
    return possible if _centred_as_corners(table, leaving) else none


def _centred_as_corners(table: CocoTable, chosen: np.ndarray) -> bool:
    """Whether the keypoints lie in the middle of the boxes as corners, rather than of those as sizes."""
    chosen = chosen & table.has_labels
    if not chosen.any():
        return True
    seen = table.labelled[chosen][..., None]
    places, boxes = table.keypoints[chosen][..., :2], table.boxes[chosen]
    low, high = np.where(seen, places, np.inf).min(1), np.where(seen, places, -np.inf).max(1)
    middle = (low + high) / 2
    as_corners = np.abs(middle - (boxes[:, :2] + boxes[:, 2:]) / 2).sum(1)
    as_sizes = np.abs(middle - (boxes[:, :2] + boxes[:, 2:] / 2)).sum(1)
    return bool((as_corners < as_sizes).mean() > 0.5)


def _shares(table: CocoTable, finite: np.ndarray) -> bool:
    large = table.sizes[np.isfinite(table.sizes).all(1)]
    within = finite.any() and (table.boxes[finite] <= 1.0).all() and (table.boxes[finite] >= 0.0).all()
    return bool(within and (table.boxes[finite][:, 2:] > 0).all() and len(large) and large.min() > 10)


def _told(box: np.ndarray) -> str:
    return f"[{', '.join(f'{value:g}' for value in box)}]"
