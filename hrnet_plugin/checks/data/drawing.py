"""The worst of what was found, as tiles for a contact sheet or a page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

from hrnet_plugin.analysis.contact_sheet import compose_page
from hrnet_plugin.analysis.fault_tiles import annotation_tiles, blank, mask_tiles

from .faults import KEPT
from .labels import Labels
from .report import DataReport, Suspect

#: Width and height of a tile.
_TILE = (300, 240)
_COLUMNS = 2
#: Pictures of each kind of note.
_NOTES = 3
#: For classes without colours of their own.
_PALETTE = (
    (68, 74, 84), (40, 150, 255), (255, 138, 30), (70, 205, 110), (214, 84, 176), (250, 214, 60), (128, 96, 232),
    (40, 190, 190), (232, 76, 70), (160, 116, 72), (150, 200, 60), (255, 160, 180), (96, 120, 160), (180, 180, 120),
)  # fmt: skip


@dataclass(frozen=True)
class DrawnSuspect:
    """A picture with what is wrong in it.

    Args:
        tiles: Two of one size: the whole picture, and the annotation near by or the mask.
        name: The annotation or file.
        check: What is wrong.
    """

    tiles: tuple[np.ndarray, np.ndarray]
    name: str
    check: str


def draw_worst(reports: Sequence[DataReport], count: int = 24) -> list[DrawnSuspect]:
    """The pictures with the worst faults, one of each kind before a second of any.

    Args:
        reports: Of all data sets.
        count: How many at most; of what is only noted, three of a kind.
    """
    drawn: list[DrawnSuspect] = []
    suspects = [(report, suspect) for report in reports for suspect in report.suspects]
    for report, suspect in _in_turn(suspects):
        tiles = _tiles(report, suspect)
        if tiles is not None:
            drawn.append(DrawnSuspect((tiles[0], tiles[1]), suspect.name, f"{suspect.level}: {suspect.check}"))
        if len(drawn) == count:
            break
    return drawn


def write_sheet(drawn: Sequence[DrawnSuspect], reports: Sequence[DataReport], path: str | Path) -> Path:
    """Writes a contact sheet.

    Args:
        drawn: At least one.
        reports: What they were drawn from, for the legend.
        path: A .png or .jpg file.

    Raises:
        DataError: it cannot be written.
    """
    rows = [list(one.tiles) for one in drawn]
    captions = [(one.name, one.check) for one in drawn]
    entries = dict(entry for report in reports for entry in _legend(report))
    second = "mask" if all(report.labels for report in reports) else "near by"
    return compose_page(rows, captions, ("picture", second), path, _COLUMNS, "What was found", list(entries.items()))


def _legend(report: DataReport) -> list[tuple[str, tuple[int, ...]]]:
    if report.labels is None:
        return list(report.skeleton.legend()) if report.skeleton else []
    colours = _palette(report.labels)[report.labels.zero_is_none :]
    return [*zip(report.labels.classes, colours, strict=True), ("not learnt, or no class", (255, 255, 255))]


def _in_turn(suspects: Sequence[tuple[DataReport, Suspect]]) -> Iterator[tuple[DataReport, Suspect]]:
    groups: dict[tuple[str, str], list[tuple[DataReport, Suspect]]] = {}
    for report, suspect in suspects:
        groups.setdefault((suspect.level, suspect.check), []).append((report, suspect))
    for level in ("error", "note"):
        lines = [group for (of, _), group in groups.items() if of == level]
        for turn in range(min(max(map(len, lines), default=0), _NOTES if level == "note" else KEPT)):
            yield from (group[turn] for group in lines if turn < len(group))


def _tiles(report: DataReport, suspect: Suspect) -> list[np.ndarray] | None:
    """Two tiles, or None where there is nothing to see."""
    if not os.path.isfile(suspect.picture):
        return None
    image = _read_image(suspect.picture)
    if suspect.mask is not None:
        return mask_tiles(image, _read_mask(suspect.mask), _palette(report.labels), _TILE)
    if image is None:
        return [blank(_TILE, "cannot be read"), blank(_TILE)]
    points = None if suspect.keypoints is None else np.array(suspect.keypoints)
    return annotation_tiles(image, suspect.box, points, report.skeleton, _TILE)


def _palette(labels: Labels) -> list[tuple[int, int, int]]:
    """A colour for each value; white, as `mask_tiles` draws what is no class, for a 0 that is none."""
    colours = labels.palette or _PALETTE
    own = [colours[index % len(colours)] for index in range(len(labels.classes))]
    return [(255, 255, 255), *own] if labels.zero_is_none else own


def _read_image(path: Path) -> np.ndarray | None:
    """An image turned as EXIF says, of one that is cut off what is there; None where nothing can be decoded."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Exception:  # told in words
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _read_mask(path: Path) -> np.ndarray | None:
    try:
        with Image.open(path) as mask:
            return np.asarray(mask if mask.mode in ("L", "P", "I", "I;16", "RGB", "1") else mask.convert("RGB"))
    except Exception:  # told in words
        return None
