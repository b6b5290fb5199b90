"""Keypoint annotations: COCO's form with the fields that its descendants added, and MPII's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.data.skeleton import NAMES

from .people import around, place_keypoints, scatter, scene, shows_people
from .pictures import SIZE, box_of, draw_shapes, mark, write_image
from .plan import Plan, write_json

_IMAGES = 3
#: Centre and height of a box, as MPII and the data sets of faces tell it, count in units of 200 pixels.
_BOX_UNIT = 200.0
#: What COCO-WholeBody adds to the body: the name of its field, and of each keypoint.
_WHOLE_BODY = {
    "foot": tuple(f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")),
    "face": tuple(f"face-{number}" for number in range(68)),
    "lefthand": tuple(f"left_hand_{number}" for number in range(21)),
    "righthand": tuple(f"right_hand_{number}" for number in range(21)),
}


def write_keypoints(plan: Plan) -> None:
    """Write the pictures and annotations of a keypoint data set.

    Raises:
        OSError: a file cannot be written.
    """
    if type_name(plan.dataset) == "MpiiDataset":
        _write_mpii(plan)
    else:
        _write_coco(plan)


def _write_coco(plan: Plan) -> None:
    step = plan.dataset.get("sample_interval", 1)
    names, parts = _keypoint_names(plan)
    images, annotations = [], []
    for number in range(1, _IMAGES + 1):
        picture, subjects = _picture(plan, names, number)
        name = f"{number:06d}.jpg"
        write_image(plan.folder("img") / name, picture)
        images.append(_image_row(number * step, name, number))
        for row in subjects:
            annotations.append({"id": len(annotations) + 1, "image_id": number * step, **row})
    annotations.append({"id": len(annotations) + 1, "image_id": step, **_crowd(names, parts)})
    category = {"id": 1, "name": "person", "supercategory": "person", "keypoints": list(names), "skeleton": []}
    write_json(plan.annotations, {"images": images, "annotations": annotations, "categories": [category]})


def _keypoint_names(plan: Plan) -> tuple[tuple[str, ...], bool]:
    """The names of the keypoints that stand under `keypoints`, and whether whole-body fields stand beside them."""
    if any("WholeBody" in kind.__name__ for kind in type(plan.built).__mro__):
        return NAMES, True
    return tuple(plan.metainfo["keypoint_id2name"].values()), False


def _picture(plan: Plan, names: Sequence[str], number: int) -> tuple[np.ndarray, Iterator[dict[str, Any]]]:
    """A picture, (H, W, 3), and the annotation rows of what it shows: people, or spotted blobs for anything else."""
    if shows_people(names):
        index = number + plan.seed % 4 * _IMAGES
        return scene(index).image, (_person_row(person, names) for person in scene(index).persons)
    image, outlines = draw_shapes(plan.generator(number), 2)
    rows = []
    for outline in outlines:
        centre, reach = outline.mean(axis=0), np.ptp(outline, axis=0) * 0.3
        places = scatter(len(names), centre, reach)
        mark(image, places)
        keypoints = np.concatenate([places, np.full((len(names), 1), 2.0)], axis=1)
        rows.append(_row(keypoints, box_of(outline), outline))
    return image, iter(rows)


def _person_row(person: Any, names: Sequence[str]) -> dict[str, Any]:
    left, top, width, height = person.bbox
    corners = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    row = _row(place_keypoints(person, names), [float(value) for value in person.bbox], corners)
    for part, points in _WHOLE_BODY.items():
        row |= _part_fields(part, place_keypoints(person, points))
    return row


def _part_fields(part: str, keypoints: np.ndarray) -> dict[str, Any]:
    return {
        f"{part}_kpts": _flat(keypoints),
        f"{part}_box": around(keypoints),
        f"{part}_valid": bool(keypoints[:, 2].any()),
    }


def _row(keypoints: np.ndarray, box: list[float], outline: np.ndarray) -> dict[str, Any]:
    left, top, width, height = box
    return {
        "category_id": 1,
        "iscrowd": 0,
        "bbox": box,
        "area": width * height * 0.5,
        "segmentation": [[float(value) for value in outline.ravel()]],
        "keypoints": _flat(keypoints),
        "num_keypoints": int((keypoints[:, 2] > 0).sum()),
        "center": [left + width / 2, top + height / 2],
        "scale": max(width, height) * 1.25 / _BOX_UNIT,
        "box_size": (width * height) ** 0.5,
    }


def _crowd(names: Sequence[str], parts: bool) -> dict[str, Any]:
    """A region of the first picture in which nobody is labelled, as COCO tells it: a mask by its run lengths."""
    width, height = SIZE
    nothing = np.zeros((len(names), 3))
    row = _row(nothing, [0.0, 0.0, 16.0, float(height)], np.zeros((0, 2)))
    row |= {"iscrowd": 1, "segmentation": {"counts": [0, 16 * height, (width - 16) * height], "size": [height, width]}}
    for part, points in _WHOLE_BODY.items() if parts else ():
        row |= _part_fields(part, np.zeros((len(points), 3)))
    return row


def _image_row(identity: int, name: str, number: int) -> dict[str, Any]:
    """The row of an image; CrowdPose adds how crowded it is, PoseTrack its place in a video."""
    place = {"frame_id": number, "vid_id": "1", "is_labeled": True, "nframes": _IMAGES}
    width, height = SIZE
    return {"id": identity, "file_name": name, "width": width, "height": height, "crowdIndex": 0.3 * number, **place}


def _write_mpii(plan: Plan) -> None:
    names = tuple(plan.metainfo["keypoint_id2name"].values())
    rows, heads = [], []
    for number in range(1, _IMAGES + 1):
        picture, subjects = _picture(plan, names, number)
        name = f"{number:06d}.jpg"
        write_image(plan.folder("img") / name, picture)
        for row in subjects:
            keypoints = np.array(row["keypoints"]).reshape(-1, 3)
            rows.append(
                {
                    "image": name,
                    "center": row["center"],
                    "scale": row["scale"],
                    "joints": (keypoints[:, :2] + 1).tolist(),  # MPII counts pixels from one
                    "joints_vis": (keypoints[:, 2] > 0).astype(int).tolist(),
                }
            )
            heads.append([row["center"], [row["center"][0] + 12, row["center"][1] + 12]])
    write_json(plan.annotations, rows)
    if plan.dataset.get("headbox_file"):
        from scipy.io import savemat

        path = plan.root / plan.dataset["headbox_file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        savemat(path, {"headboxes_src": np.transpose(np.array(heads), (1, 2, 0))})


def _flat(keypoints: np.ndarray) -> list[float]:
    return [float(value) for value in np.round(keypoints, 2).ravel()]
