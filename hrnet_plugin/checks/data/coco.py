"""All checks of an annotation file in COCO's form and of its images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hrnet_plugin.errors import DataError
from hrnet_plugin.findings import ERROR, LEVELS, NOTE, worst_first

from .boxes import check_boxes, with_boxes_as_sizes
from .categories import check_categories, skeleton_of
from .clock import Clock
from .expected import Expected
from .faults import Fault, Kind
from .frequencies import check_frequencies, class_frequencies, keypoint_frequencies
from .ids import check_ids, check_image_ids, with_ids_in_place
from .keypoints import check_keypoints
from .layouts import PLAIN, Layout
from .pictures import check_pictures, check_sizes_told, look_at_all, with_real_sizes
from .reading import read_annotations
from .report import DataReport, FrequencyTable, Suspect
from .table import CocoTable
from .use import Use

_NO_IMAGES = Kind(ERROR, "no-images", "images", "", "none", "at least one")
_EMPTY = Kind(ERROR, "no-annotations", "annotations", "", "none", "at least one")
_LISTED = Kind(
    NOTE,
    "no-annotations",
    "annotations",
    "",
    "none: a list of images to test on",
    do="Predictions can be written for it (`format_only=True` of a Coco metric), not measured",
)


def check_coco(
    ann_file: str | Path,
    images: str | Path | None = None,
    *,
    metainfo: Mapping[str, Any] | None = None,
    keypoints: bool | None = None,
    layouts: tuple[Layout, ...] = PLAIN,
    use: Use | None = None,
    title: str = "",
    decode: bool = False,
    progress: bool = False,
) -> DataReport:
    """Checks an annotation file and its images.

    Args:
        ann_file: COCO's keypoints or instances, MPII's annotations, or a list of images to test on.
        images: The folder of the images; None opens none.
        metainfo: Of the data set that reads the file: keypoints, sigmas and weights, or classes.
        keypoints: Whether keypoints are to be learnt from it, rather than boxes; None asks the file.
        layouts: Where the data set finds the keypoints.
        use: What is done with the annotations; None where that is not known.
        title: Of the report; the file's name where it is empty.
        decode: Decode all images, rather than read their headers.
        progress: Show a progress bar, where stderr is a terminal.

    Raises:
        DataError: the file is not there, or of another kind; there is no such folder.

    Example:
        >>> report = check_coco("annotations/person_keypoints_train2017.json", "train2017")  # doctest: +SKIP
        >>> [finding.check for finding in report.errors]  # doctest: +SKIP
        []
    """
    folder, clock = _folder(images), Clock()
    expected = Expected.from_metainfo(metainfo or {})
    file = read_annotations(ann_file, keypoints=keypoints, layouts=layouts)
    keypoints = file.has_keypoints if keypoints is None else keypoints
    clock.tick("reading")
    table, faults = with_ids_in_place(CocoTable.of(file, len(expected.keypoints)))
    faults += check_sizes_told(table)
    clock.tick("annotations")
    if folder is not None:
        pictures = look_at_all(table, folder, decode=decode, progress=progress)
        faults += check_pictures(table, pictures)
        table = with_real_sizes(table, pictures)
        clock.tick("images")
    table, corners = with_boxes_as_sizes(table)
    faults += corners
    skeleton = skeleton_of(table, expected) if keypoints else None
    names = skeleton.names if skeleton else ()
    counted = _frequencies(table, names, keypoints)
    faults += check_image_ids(table) if table.images else _NO_IMAGES.of_file(table)
    if table.annotations:
        faults += _check_annotations(table, expected, names, counted, use or Use(), keypoints=keypoints)
    else:
        faults += _no_annotations(file.listed, use or Use()).of_file(table)
        faults += check_categories(table, expected, keypoints=keypoints) if file.listed else ()
    clock.tick("annotations")
    faults.sort(key=lambda fault: LEVELS.index(fault.finding.level))
    return DataReport(
        title=title or Path(ann_file).name,
        counts=_counts(table, keypoints),
        findings=worst_first(fault.finding for fault in faults),
        frequencies=counted,
        seconds=clock.seconds,
        suspects=tuple(_suspects(table, faults, folder)) if folder is not None else (),
        files=tuple(folder / name for name in table.file_names if name) if folder is not None else (),
        skeleton=skeleton,
    )


def _folder(images: str | Path | None) -> Path | None:
    folder = None if images is None else Path(images).expanduser()
    if folder is not None and not folder.is_dir():
        raise DataError(f"images {folder}", found="a file" if folder.exists() else "no such folder")
    return folder


def _frequencies(table: CocoTable, names: Sequence[str], keypoints: bool) -> list[FrequencyTable]:
    if not table.annotations:
        return []
    counted = [FrequencyTable("keypoint", "annotations", keypoint_frequencies(table, names))] if keypoints else []
    if len(table.categories) > 1 or not keypoints:
        counted.append(FrequencyTable("class", "annotations", class_frequencies(table)))
    return [counts for counts in counted if counts.rows]


def _check_annotations(
    table: CocoTable,
    expected: Expected,
    names: Sequence[str],
    counted: Sequence[FrequencyTable],
    use: Use,
    *,
    keypoints: bool,
) -> list[Fault]:
    return [
        *check_ids(table),
        *check_categories(table, expected, keypoints=keypoints),
        *check_boxes(table, detection=not keypoints, by_area=use.by_area),
        *(check_keypoints(table, names, scored=table.joined) if keypoints else ()),
        *check_frequencies(table, counted),
    ]


def _no_annotations(listed: bool, use: Use) -> Kind:
    if listed and use.needs:
        return replace(_EMPTY, found=_LISTED.found, do=use.needs)
    return _LISTED if listed else _EMPTY


def _counts(table: CocoTable, keypoints: bool) -> dict[str, int]:
    counts = {"images": len(table.images), "annotations": len(table.annotations)}
    if keypoints:
        counts["with keypoints"] = int(table.has_labels.sum())
    return {**counts, "crowds": int(table.crowds.sum())}


def _suspects(table: CocoTable, faults: Sequence[Fault], folder: Path) -> Iterator[Suspect]:
    for fault in faults:
        told = {"check": fault.finding.check, "level": fault.finding.level}
        if not fault.annotations:
            for place in fault.images:
                if table.file_names[place]:
                    yield Suspect(folder / table.file_names[place], name=table.image_name(place), **told)
        for place, image in zip(fault.annotations, fault.images, strict=False):
            if image >= 0 and table.file_names[image]:
                yield Suspect(
                    folder / table.file_names[image],
                    name=table.annotation_name(place),
                    box=tuple(table.boxes[place].tolist()) if np.isfinite(table.boxes[place]).all() else None,
                    keypoints=tuple(map(tuple, table.keypoints[place].tolist())) if table.has_labels[place] else None,
                    **told,
                )
