"""Categories: known, told once, with the keypoints and classes of the config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from hrnet_plugin.analysis.skeleton import Skeleton
from hrnet_plugin.findings import ERROR, NOTE

from .columns import repeated, rows_of_numbers
from .expected import Expected
from .faults import Fault, Kind
from .table import CocoTable, key

_NONE = Kind(ERROR, "no-categories", "categories", "", "no category", "at least one, with id and name")
_FIELDS = Kind(ERROR, "category-fields", "categories", "category", "without a usable id, or without a name")
_TWICE = Kind(ERROR, "duplicate-category-id", "categories", "id", "of an earlier category", "each id once")
_UNKNOWN = Kind(
    ERROR,
    "category-unknown",
    "annotations.category_id",
    "annotation",
    "of a category that the file does not list",
)
_NAMELESS = Kind(
    NOTE,
    "category-without-keypoints",
    "categories",
    "category",
    "without the names of keypoints",
    do="Their order cannot be compared with that of the config",
)
_NAMED = Kind(ERROR, "category-keypoints", "categories.keypoints", "category", "with another number of keypoints")
_CONFIG = Kind(
    ERROR,
    "config-keypoints",
    "keypoints",
    "",
    "",
    do="Write the `metainfo` of these keypoints into the data set's config, or name the data set's own type",
)
_SIGMAS = Kind(ERROR, "config-sigmas", "metainfo of the config", "", "")
_ORDER = Kind(
    ERROR,
    "keypoint-order",
    "categories.keypoints",
    "keypoint",
    "at another place in the config's metainfo",
    do="Bring the metainfo into the order of the file",
)
_NAMES = Kind(NOTE, "keypoint-names", "categories.keypoints", "name", "that the config's metainfo does not know")
_CLASSES = Kind(ERROR, "config-classes", "categories", "", "none of the classes of the config")
_ABSENT = Kind(NOTE, "class-absent", "categories", "class", "of the config not in the file")
_IGNORED = Kind(
    NOTE,
    "class-ignored",
    "categories",
    "category",
    "beyond the classes of the config",
    do="Their annotations are left out",
)


def check_categories(table: CocoTable, expected: Expected, *, keypoints: bool) -> Iterator[Fault]:
    """Categories, and what the config expects of them.

    Args:
        table: The file.
        expected: What the config knows; nothing without one.
        keypoints: Whether the annotations are of keypoints.
    """
    if table.mpii:
        return
    known = [key(row.get("id")) for row in table.categories]
    if not known:
        yield from _NONE.of_file(table)
    named = [keypoints or row.get("name") is not None for row in table.categories]  # keypoints are learnt without
    usable = [isinstance(row.get("id"), (int, str)) for row in table.categories]
    yield from _of_categories(_FIELDS, table, ~np.array([*map(all, zip(named, usable, strict=True))], bool))
    twice = repeated(known)
    yield from _of_categories(_TWICE, table, twice)
    categories, listed = [key(value) for value in table.column("category_id")], set(known)
    usable = np.array([isinstance(value, int) for value in table.column("category_id")], bool)
    unknown = usable & np.array([value not in listed for value in categories], bool)
    if known:
        yield from _UNKNOWN.of_annotations(table, unknown, lambda place: f"category_id {categories[place]}")
    if keypoints and table.annotations:
        yield from _check_names(table, expected.keypoints)
        yield from _check_config(table, expected)
    elif expected.classes and not keypoints:
        yield from _check_classes(table, expected.classes)


def skeleton_of(table: CocoTable, expected: Expected) -> Skeleton:
    """Names and limbs of the K keypoints: the config's, else the file's, else their numbers."""
    if expected.skeleton is not None and len(expected.skeleton) == table.count:
        return expected.skeleton
    for row in table.categories:
        names = row.get("keypoints")
        if isinstance(names, list) and len(names) == table.count and not table.joined:
            limbs = row["skeleton"] if isinstance(row.get("skeleton"), list) else []
            pairs = rows_of_numbers(limbs, 2) - 1  # COCO counts from one
            drawn = pairs[((pairs >= 0) & (pairs < len(names))).all(1)]
            return Skeleton.by_side([str(name) for name in names], drawn.astype(int).tolist())
    return Skeleton.by_side([f"keypoint {number}" for number in range(table.count)])


def _check_names(table: CocoTable, names: Sequence[str]) -> Iterator[Fault]:
    if table.joined:
        return
    nameless = np.array([not isinstance(row.get("keypoints"), list) for row in table.categories], bool)
    yield from _of_categories(_NAMELESS, table, nameless)
    given = [row["keypoints"] if named else [] for row, named in zip(table.categories, ~nameless, strict=True)]
    wrong = ~nameless & np.array([len(listed) != table.count for listed in given], bool)
    yield from _of_categories(replace(_NAMED, expected=f"{table.count}"), table, wrong)
    if len(names) != table.count:
        return
    places = {_plain(name): place for place, name in enumerate(names)}
    told: dict[str, None] = {}
    strange: dict[str, None] = {}
    for listed in (listed for listed in given if len(listed) == len(names)):
        for place, name in enumerate(listed):
            there = places.get(_plain(name))
            if there is None:
                strange[f"{name}, in the config {names[place]}"] = None
            elif there != place:
                told[f"{name}: keypoint {place} of the file, {there} of the config"] = None
    if told:
        yield from _ORDER.of_file(table, tuple(told))
    if strange:
        yield from _NAMES.of_file(table, tuple(strange))


def _check_config(table: CocoTable, expected: Expected) -> Iterator[Fault]:
    wanted = len(expected.keypoints)
    if wanted and table.count and wanted != table.count:
        yield from replace(_CONFIG, found=f"{table.count} keypoints", expected=f"the {wanted} of the config").of_file(
            table
        )
    for name, length in (("sigmas", expected.sigmas), ("joint_weights", expected.weights)):
        if wanted and length is not None and length != wanted:
            kind = replace(_SIGMAS, check=f"config-{name.replace('_', '-')}", found=f"{length} {name}")
            yield from replace(kind, expected=f"{wanted}, one for each keypoint").of_file(table)


def _check_classes(table: CocoTable, classes: Sequence[str]) -> Iterator[Fault]:
    names = [str(row.get("name")) for row in table.categories]
    absent = tuple(name for name in classes if name not in names)
    if len(absent) == len(classes):
        yield from replace(_CLASSES, expected=f"such as {classes[0]}").of_file(table, absent)
        return
    if absent:
        yield from _ABSENT.of_file(table, absent)
    ignored = tuple(name for name in names if name not in classes)
    if ignored:
        yield from _IGNORED.of_file(table, ignored)


def _of_categories(kind: Kind, table: CocoTable, wrong: np.ndarray) -> list[Fault]:
    rows = [table.categories[place] for place in np.flatnonzero(wrong)]
    told = tuple(f"category {row.get('id')} ({row.get('name')})" for row in rows)
    return kind.of_file(table, told) if told else []


def _plain(name: object) -> str:
    return "".join(letter for letter in str(name).lower() if letter.isalnum())
