"""Contact sheets: predictions beside the truth, many pictures on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hrnet_plugin.errors import DataError

from .confusion import Confusion
from .drawing import FAINT, Sheet, blend_classes, draw_box, draw_pose, enlarge, enlarge_classes
from .skeleton import COCO, Skeleton

_MARGIN, _GAP, _HEAD, _CAPTION, _LINE = 24, 10, 84, 30, 24
_UNSURE = 0.3


@dataclass(slots=True)
class PoseSample:
    """A picture with its true and predicted people.

    Args:
        image: (H, W, 3) uint8 RGB.
        truth: (T, K, 3): x, y in pixels and COCO's visibility; occluded keypoints (1) are drawn as rings.
        predicted: (P, K, 2): x, y in pixels.
        scores: (P, K), 0 to 1, or None: keypoints below 0.3 are not drawn.
        oks: A similarity for each true person, for the caption, or None.
        boxes: (T, 4) x, y, width, height, drawn with the truth, or None.
        name: Shown in the caption.
    """

    image: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray = field(default_factory=lambda: np.zeros((0, 17, 2)))
    scores: np.ndarray | None = None
    oks: Sequence[float] | None = None
    boxes: np.ndarray | None = None
    name: str = ""


@dataclass(slots=True)
class SegmentationSample:
    """A picture with its true and predicted classes.

    Args:
        image: (H, W, 3) uint8 RGB.
        truth, prediction: (H, W) class indices; 255 in the truth is not counted. Without a prediction (None) only
            the truth is shown.
        name: Shown in the caption.
    """

    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray | None = None
    name: str = ""


def class_iou(truth: np.ndarray, prediction: np.ndarray, classes: int, ignore: int = 255) -> np.ndarray:
    """Intersection over union of each class in one picture, (classes,); NaN where neither mask has the class.

    Args:
        truth, prediction: (H, W) class indices.
        classes: Number of classes.
        ignore: Index of pixels of the truth that do not count.
    """
    counted = truth != ignore
    return Confusion.of(truth[counted], prediction[counted], classes).iou()


def draw_pose_sheet(
    samples: Sequence[PoseSample],
    path: str | Path,
    columns: int = 3,
    title: str = "Truth and prediction",
    tile_width: int = 340,
    skeleton: Skeleton = COCO,
) -> Path:
    """Draw poses, the truth on the left and the prediction on the right of each pair.

    Args:
        samples: At least one.
        path: A .png or .jpg file.
        columns: Pairs in a row.
        title: First line of the page.
        tile_width: Width of one picture on the page, in pixels.
        skeleton: Of the K keypoints.

    Raises:
        DataError: without samples, or if the file cannot be written.
    """
    rows = [
        [_truth_tile(sample, tile_width, skeleton), _prediction_tile(sample, tile_width, skeleton)]
        for sample in samples
    ]
    captions = [_pose_caption(sample) for sample in samples]
    entries = [*skeleton.legend(), ("occluded", (255, 255, 255))]
    headings = ("truth", f"prediction (score {_UNSURE} and above)")
    return compose_page(rows, captions, headings, path, columns, title, entries)


def draw_segmentation_sheet(
    samples: Sequence[SegmentationSample],
    path: str | Path,
    class_names: Sequence[str],
    palette: Sequence[Sequence[int]],
    columns: int = 2,
    title: str = "Truth and prediction",
    tile_width: int = 340,
) -> Path:
    """Draw masks: picture, truth, prediction, with the mean IoU over the classes of each picture.

    Args:
        samples: At least one.
        path: A .png or .jpg file.
        class_names, palette: Name and RGB colour (0 to 255) of each class.
        columns: Groups in a row.
        title: First line of the page.
        tile_width: Width of one picture on the page, in pixels.

    Raises:
        DataError: without samples, or if the file cannot be written.
    """
    rows, captions = [], []
    predicted = any(sample.prediction is not None for sample in samples)
    for sample in samples:
        picture = enlarge(sample.image, tile_width)
        masks = [sample.truth, sample.prediction] if predicted else [sample.truth]
        tiles = [blend_classes(picture, enlarge_classes(mask, tile_width), palette, 0.72)
                 if mask is not None else picture for mask in masks]  # fmt: skip
        rows.append([picture, *tiles])
        captions.append(_class_caption(sample, len(class_names)))
    heads = ("picture", "truth", "prediction") if predicted else ("picture", "truth")
    entries = [*zip(class_names, palette, strict=True), ("ignored", (255, 255, 255))]
    return compose_page(rows, captions, heads, path, columns, title, entries)


def _truth_tile(sample: PoseSample, width: int, skeleton: Skeleton) -> np.ndarray:
    tile, scale = enlarge(sample.image, width), width / sample.image.shape[1]
    for box in sample.boxes if sample.boxes is not None else ():
        draw_box(tile, box, scale)
    for person in sample.truth:
        draw_pose(tile, person, person[:, 2] > 0, person[:, 2] == 1, scale, skeleton)
    return tile


def _prediction_tile(sample: PoseSample, width: int, skeleton: Skeleton) -> np.ndarray:
    tile, scale = enlarge(sample.image, width), width / sample.image.shape[1]
    scores = sample.scores if sample.scores is not None else np.ones(sample.predicted.shape[:2])
    for person, sure in zip(sample.predicted, scores, strict=True):
        draw_pose(tile, person, sure >= _UNSURE, None, scale, skeleton)
    return tile


def _pose_caption(sample: PoseSample) -> tuple[str, str]:
    if sample.oks is None:
        return sample.name, ""
    return sample.name, "OKS " + "  ".join(f"{value:.2f}" for value in sample.oks)


def _class_caption(sample: SegmentationSample, classes: int) -> tuple[str, str]:
    if sample.prediction is None:
        return sample.name, ""
    values = class_iou(sample.truth, sample.prediction, classes)
    return sample.name, "mIoU " + ("-" if np.isnan(values).all() else f"{np.nanmean(values):.2f}")


def compose_page(
    rows: list[list[np.ndarray]],
    captions: list[tuple[str, str]],
    heads: Sequence[str],
    path: str | Path,
    columns: int,
    title: str,
    entries: Sequence[tuple[str, Sequence[int]]],
    note: str = "",
) -> Path:
    """Puts groups of tiles onto a page.

    Args:
        rows: Tiles of one width, as many a group as there are `heads`.
        captions: Two texts below each group, at its left and its right.
        heads: What each tile of a group shows.
        path: A .png or .jpg file.
        columns: Groups in a row.
        title, note: First lines of the page.
        entries: The legend: names and RGB colours.

    Raises:
        DataError: without groups, or if the file cannot be written.
    """
    if not rows:
        raise DataError("contact sheet", found="no samples", expected="at least one")
    columns = max(min(columns, len(rows)), 1)
    wide, tall = rows[0][0].shape[1], max(tile.shape[0] for row in rows for tile in row)
    group = len(heads) * (wide + 2)
    lines = -(-len(rows) // columns)
    words = max(Sheet.length(title, 22, True), Sheet.length(note, 13)) + 2 * _MARGIN
    width = max(2 * _MARGIN + columns * group + (columns - 1) * _GAP, words)
    legend = _legend_lines(entries, width - 2 * _MARGIN)
    beside = len(legend) == 1 and Sheet.length(title, 22, True) + _legend_width(entries) + 3 * _MARGIN < width
    head = _HEAD + (_LINE if note else 0) + (0 if beside else _LINE * len(legend))
    sheet = Sheet(width, head + lines * (tall + _CAPTION + _GAP) + _MARGIN)
    sheet.write(title, _MARGIN, 16, 22, bold=True)
    sheet.write(note, _MARGIN, 48, 13, colour=FAINT)
    for number, line in enumerate(legend):
        sheet.legend(line, width - _MARGIN, 20 if beside else head - 28 - _LINE * (len(legend) - number))
    for column in range(columns):
        for number, name in enumerate(heads):
            sheet.write(name, _MARGIN + column * (group + _GAP) + number * (wide + 2), head - 24, 13, colour=FAINT)
    for index, (tiles, caption) in enumerate(zip(rows, captions, strict=True)):
        left = _MARGIN + index % columns * (group + _GAP)
        top = head + index // columns * (tall + _CAPTION + _GAP)
        for number, tile in enumerate(tiles):
            sheet.put(tile, left + number * (wide + 2), top)
        _write_caption(sheet, caption, left, top + tall + 6, group - 2)
    return sheet.save(path)


def _write_caption(sheet: Sheet, caption: tuple[str, str], left: int, top: int, width: int) -> None:
    name, value = caption
    value = Sheet.shortened(value, width, 13, True)
    room = width - Sheet.length(value, 13, True) - (12 if value else 0)
    sheet.write(Sheet.shortened(name, room, 13), left, top, 13, colour=FAINT)
    sheet.write(value, left + width - Sheet.length(value, 13, True), top, 13, bold=True)


def _legend_width(entries: Sequence[tuple[str, Sequence[int]]]) -> int:
    return sum(Sheet.length(name) + 38 for name, _ in entries)


def _legend_lines(entries: Sequence[tuple[str, Sequence[int]]], width: int) -> list[list[tuple[str, Sequence[int]]]]:
    lines: list[list[tuple[str, Sequence[int]]]] = []
    for entry in entries:
        if not lines or _legend_width([*lines[-1], entry]) > width:
            lines.append([])
        lines[-1].append(entry)
    return lines
