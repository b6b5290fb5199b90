"""Ids and names: each once, each pointing at something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hrnet_plugin.findings import ERROR, NOTE

from .columns import repeated
from .faults import Fault, Kind
from .table import CocoTable, key

_IMAGE_FIELDS = Kind(
    ERROR, "image-fields", "images", "image", "without a usable id or file_name", "an integer and a text"
)
_ANNOTATION_FIELDS = Kind(
    ERROR,
    "annotation-fields",
    "annotations",
    "annotation",
    "without a usable id, image_id or category_id",
    "integers",
)
_IMAGE_ID = Kind(ERROR, "duplicate-image-id", "images.id", "id", "of an earlier image", "each id once")
_ANNOTATION_ID = Kind(
    ERROR, "duplicate-annotation-id", "annotations.id", "id", "of an earlier annotation", "each id once"
)
_FILE_NAME = Kind(ERROR, "duplicate-file-name", "images.file_name", "file", "of an earlier image", "each file once")
_DUPLICATE = Kind(
    NOTE,
    "duplicate-annotation",
    "annotations",
    "annotation",
    "with image, category, box and keypoints of an earlier one",
    do="What stands twice counts twice; take one of each out",
)
_NO_IMAGE = Kind(
    ERROR, "annotation-without-image", "annotations.image_id", "annotation", "of an image that the file does not list"
)
_SWAPPED = Kind(
    ERROR,
    "swapped-ids",
    "annotations",
    "annotation",
    "with `id` and `image_id` in each other's place",
    do="Exchange the two; the other checks took them as exchanged",
)
_UNANNOTATED = Kind(NOTE, "image-without-annotation", "images", "image", "without an annotation")


def with_ids_in_place(table: CocoTable) -> tuple[CocoTable, list[Fault]]:
    """The table with `id` and `image_id` exchanged where a file has them in each other's place, and that fault."""
    swapped = _swapped(table)
    if not swapped.any():
        return table, []
    rows = [
        {**row, "id": row.get("image_id"), "image_id": row["id"]} if wrong else row
        for row, wrong in zip(table.annotations, swapped, strict=True)
    ]
    mended = replace(table, annotations=rows)
    return mended, _SWAPPED.of_annotations(mended, swapped)


def check_image_ids(table: CocoTable) -> Iterator[Fault]:
    """Ids and file names of the images."""
    image_ids = [row.get("id") for row in table.images]
    nameless = np.array([name is None for name in table.file_names], bool) | ~_usable(image_ids)
    yield from _IMAGE_FIELDS.of_images(table, nameless)
    yield from _IMAGE_ID.of_images(
        table, repeated([key(value) for value in image_ids]), lambda at: f"id {image_ids[at]}"
    )
    yield from _FILE_NAME.of_images(table, repeated(table.file_names), lambda at: f"image {image_ids[at]}")


def check_ids(table: CocoTable) -> Iterator[Fault]:
    """Ids of annotations, and annotations that are there twice or belong nowhere."""
    ids = table.column("id")
    usable = _usable(table.column("image_id")) & _usable(table.column("category_id"))
    if not table.joined:  # else some ids are our own
        usable &= _usable(ids)
    yield from _ANNOTATION_FIELDS.of_annotations(table, ~usable)
    yield from _ANNOTATION_ID.of_annotations(table, repeated([key(value) for value in ids]))
    yield from _DUPLICATE.of_annotations(table, _duplicates(table))
    yield from _NO_IMAGE.of_annotations(table, usable & (table.image_of < 0), lambda at: "no such image")
    seen = np.zeros(len(table.images), bool)
    seen[table.image_of[table.image_of >= 0]] = True
    yield from _UNANNOTATED.of_images(table, ~seen)


def _usable(ids: list[object]) -> np.ndarray:
    return np.array([isinstance(value, (int, float)) and value % 1 == 0 for value in ids], bool)


def _duplicates(table: CocoTable) -> np.ndarray:
    boxes = [row.tobytes() for row in table.boxes]
    points = [row.tobytes() for row in table.keypoints]
    # What holds neither a box nor keypoints says nothing.
    told = np.isfinite(table.boxes).all(1) | table.has_labels
    categories = [key(value) for value in table.column("category_id")]
    rows = zip(table.image_of.tolist(), categories, boxes, points, told.tolist(), strict=True)
    return repeated([row[:4] if row[4] else None for row in rows])


def _swapped(table: CocoTable) -> np.ndarray:
    """Which annotations point at no image while their own id is one: all of them, or most that point at none."""
    images = {key(row.get("id")) for row in table.images}
    ids = [key(value) for value in table.column("id")]
    is_image = np.array([value is not None and value in images for value in ids], bool)
    lost = table.image_of < 0
    if 2 * (lost & is_image).sum() >= lost.sum() > 0:
        return lost & is_image if not _all_swapped(table, ids, is_image) else is_image
    return is_image if _all_swapped(table, ids, is_image) else np.zeros(len(ids), bool)


def _all_swapped(table: CocoTable, ids: list, is_image: np.ndarray) -> bool:
    """Whether ids repeat and are images without exception, while no image has two annotations."""
    pointed = [key(value) for value in table.column("image_id")]
    return bool(is_image.all()) and bool(repeated(ids).any()) and not repeated(pointed).any()
