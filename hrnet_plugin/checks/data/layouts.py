"""How data sets read keypoints that do not stand under `keypoints` alone, and MPII's own form of annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layout:
    """Where the keypoints of one subject stand in an annotation.

    Args:
        parts: Fields whose lists are joined.
        box: The field of its box.
        valid: A field that says whether the subject is annotated at all; empty where there is none.
    """

    parts: tuple[str, ...] = ("keypoints",)
    box: str = "bbox"
    valid: str = ""


PLAIN = (Layout(),)
_HANDS = tuple(Layout((f"{side}hand_kpts",), f"{side}hand_box", f"{side}hand_valid") for side in ("left", "right"))
_WHOLE_BODY = (Layout(("keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts")),)
#: By the class of the data set.
LAYOUTS: Mapping[str, tuple[Layout, ...]] = {
    "CocoWholeBodyDataset": _WHOLE_BODY,
    "UBody2dDataset": _WHOLE_BODY,
    "CocoWholeBodyFaceDataset": (Layout(("face_kpts",), "face_box", "face_valid"),),
    "CocoWholeBodyHandDataset": _HANDS,
}


def as_read(annotations: Sequence[dict[str, Any]], layouts: tuple[Layout, ...]) -> list[dict[str, Any]]:
    """Annotations with their keypoints under `keypoints` and their box under `bbox`.

    Args:
        annotations: As the file has them; not changed.
        layouts: Of the subjects of each.
    """
    if layouts == PLAIN:
        return list(annotations)
    return [subject for row in annotations for subject in _subjects(row, layouts)]


def from_mpii(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """MPII's annotations in COCO's form; boxes, areas and sizes of images it does not know."""
    names = list(dict.fromkeys(row.get("image") for row in rows))
    places = {name: place for place, name in enumerate(names)}
    annotations = []
    for number, row in enumerate(rows):
        own = {"id": number, "image_id": places[row.get("image")], "category_id": 1}
        annotations.append({**own, "keypoints": _joined(row), "center": row.get("center"), "scale": row.get("scale")})
    images = [{"id": place, "file_name": name} for name, place in places.items()]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}


def _subjects(row: dict[str, Any], layouts: tuple[Layout, ...]) -> Iterable[dict[str, Any]]:
    # The other fields count or measure the whole body.
    rest = {key: value for key, value in row.items() if key not in ("keypoints", "bbox", "num_keypoints")}
    for layout in layouts:
        parts = [row.get(part) for part in layout.parts]
        if not all(isinstance(part, list) for part in parts) or (layout.valid and not row.get(layout.valid)):
            continue
        subject = {**rest, "keypoints": [value for part in parts for value in part]}
        if layout.box in row:
            subject["bbox"] = row[layout.box]
        if layout.box != "bbox":
            subject.pop("area", None)
        if len(layouts) > 1:
            subject["id"] = f"{row.get('id')} {layout.box}"
        yield subject


def _joined(row: dict[str, Any]) -> list[float] | None:
    try:
        joints, seen = np.array(row["joints"], np.float64), np.array(row["joints_vis"], np.float64)
        rows = np.column_stack([joints.reshape(-1, 2), seen.reshape(-1)])
        rows[rows[:, 2] == 0] = 0.0  # -1 where there is no joint
        return rows.ravel().tolist()
    except (KeyError, TypeError, ValueError):
        return None
