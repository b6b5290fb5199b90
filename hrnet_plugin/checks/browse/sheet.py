"""Samples as tiles: the image file, what the network gets, and what it is to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hrnet_plugin.analysis.contact_sheet import compose_page
from hrnet_plugin.analysis.drawing import BOX, blend_classes
from hrnet_plugin.analysis.fault_tiles import blank
from hrnet_plugin.analysis.skeleton import Skeleton
from hrnet_plugin.analysis.target_maps import WEIGHTLESS, mark_weightless, overlay_heatmaps
from hrnet_plugin.analysis.views import CUT, View, as_jpeg, read_picture, whole
from hrnet_plugin.reports.page import Page

from .sample import PoseTargets, Sample

#: Width and height of a tile.
_TILE = (280, 280)
_COLUMNS = 2
_CLASSES_SHOWN = 3


@dataclass(frozen=True)
class Browsed:
    """Samples, drawn.

    Args:
        heads: What each tile of a row shows.
        rows: Tiles of each sample.
        captions: Two texts below each.
        legend: Names and RGB colours.
        note: What all inputs have in common.
    """

    heads: tuple[str, ...]
    rows: list[list[np.ndarray]]
    captions: list[tuple[str, str]]
    legend: list[tuple[str, Sequence[int]]]
    note: str


def draw_samples(samples: Sequence[Sample], metainfo: Mapping[str, Any]) -> Browsed:
    """Draws samples.

    Args:
        samples: At least one.
        metainfo: Of their data set: skeleton or classes.

    Raises:
        DataError: the metainfo describes a pose that cannot be read.
    """
    classes = [str(name) for name in metainfo.get("classes") or ()]
    if any(sample.pose for sample in samples):
        skeleton = Skeleton.from_metainfo(metainfo)
        drawn = [_pose_tiles(sample, skeleton) for sample in samples]
        captions = [_pose_caption(sample) for sample in samples]
        maps = any(sample.pose and sample.pose.heatmaps is not None for sample in samples)
        heads = ("image", "input", "target heatmaps")[: 3 if maps else 2]
        rows, legend = [tiles[: len(heads)] for tiles in drawn], [*skeleton.legend(), *_marks(samples)]
    elif any(sample.labels is not None for sample in samples):
        palette = metainfo.get("palette") or [(0, 0, 0)] * len(classes)
        rows = [_mask_tiles(sample, palette) for sample in samples]
        captions, heads = [(_name(sample), sample.size) for sample in samples], ("image", "input", "classes")
        legend = _class_legend(samples, classes, palette)
    else:
        rows = [_other_tiles(sample) for sample in samples]
        captions = [(_name(sample), f"{_named(sample, classes)}  {sample.size}") for sample in samples]
        heads, legend = ("image", "input"), []
    return Browsed(heads, rows, captions, legend, _note(samples))


def write_samples(drawn: Browsed, path: str | Path, title: str) -> Path:
    """Writes a contact sheet.

    Raises:
        DataError: it cannot be written.
    """
    return compose_page(drawn.rows, drawn.captions, drawn.heads, path, _COLUMNS, title, drawn.legend, drawn.note)


def samples_page(drawn: Browsed, title: str, about: Mapping[str, object]) -> Page:
    """The samples as a page."""
    page = Page(title, {**about, "network gets": drawn.note})
    page.section("Samples", f"From left to right: {', '.join(drawn.heads)}.")
    page.legend(drawn.legend)
    captions = [" · ".join(part for part in caption if part) for caption in drawn.captions]
    pictures = [as_jpeg(np.hstack(tiles)) for tiles in drawn.rows]
    page.gallery(zip(pictures, captions, strict=True), width=180 * len(drawn.heads))
    return page


def _pose_tiles(sample: Sample, skeleton: Skeleton) -> list[np.ndarray]:
    shown = whole(sample.pixels, *_TILE)
    if sample.pose is None:
        return [_image_tile(sample), shown.tile(*_TILE), blank(_TILE, "no annotations")]
    _draw_poses(shown, sample.pose, skeleton)
    if sample.pose.heatmaps is None:
        target = blank(_TILE, "no heatmaps")
    else:
        target = whole(overlay_heatmaps(sample.pixels, sample.pose.heatmaps, sample.pose.counted), *_TILE).tile(*_TILE)
    return [_image_tile(sample), shown.tile(*_TILE), target]


def _draw_poses(shown: View, pose: PoseTargets, skeleton: Skeleton) -> None:
    for points, visible, counts in zip(pose.keypoints, pose.visible, pose.counts, strict=True):
        if len(points) == len(skeleton):
            shown.pose(points, visible & counts, skeleton)
        mark_weightless(shown.pixels, points[visible & ~counts], shown.scale)


def _mask_tiles(sample: Sample, palette: Sequence[Sequence[int]]) -> list[np.ndarray]:
    classes = sample.pixels
    if sample.labels is not None:
        indices = np.where((sample.labels >= 0) & (sample.labels < len(palette)), sample.labels, 255).astype(np.uint8)
        # mmseg tests against masks of the image's own size.
        fitted = cv2.resize(indices, sample.pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        classes = blend_classes(sample.pixels, fitted, palette, 0.65)
    return [_image_tile(sample), whole(sample.pixels, *_TILE).tile(*_TILE), whole(classes, *_TILE).tile(*_TILE)]


def _other_tiles(sample: Sample) -> list[np.ndarray]:
    shown = whole(sample.pixels, *_TILE)
    for box in () if sample.input_boxes is None else sample.input_boxes:
        shown.box(box)
    return [_image_tile(sample), shown.tile(*_TILE)]


def _image_tile(sample: Sample) -> np.ndarray:
    image = read_picture(sample.path) if sample.path else None
    if image is None:
        return blank(_TILE, "cannot be read" if sample.path else "no file")
    shown = whole(image, *_TILE)
    for box in () if sample.boxes is None else sample.boxes:
        shown.box(box)
    if sample.outline is not None:
        shown.outline(sample.outline)
    return shown.tile(*_TILE)


def _pose_caption(sample: Sample) -> tuple[str, str]:
    if sample.pose is None:
        return _name(sample), sample.size
    people, keypoints = sample.pose.visible.shape
    counts = int((sample.pose.visible & sample.pose.counts).sum())
    poses = f"{people} poses, " if people != 1 else ""
    return _name(sample), f"{sample.size}, {poses}{counts} of {people * keypoints} count"


def _marks(samples: Sequence[Sample]) -> list[tuple[str, Sequence[int]]]:
    """The legend of what is drawn beside poses."""
    weightless = [pose for pose in (sample.pose for sample in samples) if pose and (pose.visible & ~pose.counts).any()]
    return [
        *([("box", BOX)] if any(sample.boxes is not None for sample in samples) else []),
        *([("cut out", CUT)] if any(sample.outline is not None for sample in samples) else []),
        *([("counts nothing", WEIGHTLESS)] if weightless else []),
    ]


def _class_legend(
    samples: Sequence[Sample], classes: Sequence[str], palette: Sequence[Sequence[int]]
) -> list[tuple[str, Sequence[int]]]:
    """The classes that occur; all of a hundred and fifty would fill the page."""
    found = {int(value) for sample in samples if sample.labels is not None for value in np.unique(sample.labels)}
    known = [(classes[index], palette[index]) for index in sorted(found) if index < len(classes)]
    return [*known, ("not learnt", (255, 255, 255))]


def _named(sample: Sample, classes: Sequence[str]) -> str:
    names = list(dict.fromkeys(classes[index] if index < len(classes) else str(index) for index in sample.classes))
    return ", ".join(names[:_CLASSES_SHOWN]) + (" ..." if len(names) > _CLASSES_SHOWN else "")


def _note(samples: Sequence[Sample]) -> str:
    sizes = list(dict.fromkeys(sample.size for sample in samples))
    least, most = min(sample.least for sample in samples), max(sample.most for sample in samples)
    channels = ", ".join(dict.fromkeys(sample.channels for sample in samples))
    size = sizes[0] if len(sizes) == 1 else f"{len(sizes)} sizes"
    levels = max((sample.pose.levels for sample in samples if sample.pose), default=0)
    maps = [sample.pose.heatmaps.shape for sample in samples if sample.pose and sample.pose.heatmaps is not None]
    told = f"{size}, {channels}, values {least:.2f} to {most:.2f}"
    if maps:
        told += f"; heatmaps {maps[0][2]}x{maps[0][1]}" + (f", the finest of {levels}" if levels > 1 else "")
    return told


def _name(sample: Sample) -> str:
    return Path(sample.path).name
