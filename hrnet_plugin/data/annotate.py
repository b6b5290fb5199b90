"""Scenes as rows of a COCO keypoint file."""

from __future__ import annotations

from typing import Any

import numpy as np

from .scene import Person, Scene
from .skeleton import NAMES, coco_skeleton

# Ids are unique over the three splits, so that files can be joined.
_SPLIT_STEP = 10_000_000
_PERSONS_PER_IMAGE = 10


def file_name(index: int, ending: str) -> str:
    """The name of scene `index`: six digits at least, so that names sort."""
    return f"{index:06d}.{ending}"


def image_id(split_number: int, index: int) -> int:
    """The id of an image, unique over all splits."""
    return split_number * _SPLIT_STEP + index


def annotation(person: Person, number: int, image: int) -> dict[str, Any]:
    """The COCO annotation of person `number` of the image with id `image`.

    It holds no outline: mmpose copies every annotation of a sample twice a step, and outlines made up most of the cost.
    """
    keypoints = person.keypoints.copy()
    keypoints[:, :2] = np.round(keypoints[:, :2], 2)
    return {
        "id": image * _PERSONS_PER_IMAGE + number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "area": person.area,
        "bbox": [round(edge, 2) for edge in person.bbox],
        "num_keypoints": int((keypoints[:, 2] > 0).sum()),
        "keypoints": [int(value) if value == int(value) else value for value in keypoints.ravel().tolist()],
    }


def image_row(scene: Scene, index: int, image: int) -> dict[str, Any]:
    """The COCO row of an image."""
    height, width = scene.mask.shape
    return {"id": image, "file_name": file_name(index, "jpg"), "width": width, "height": height}


def coco_file(images: list[dict[str, Any]], annotations: list[dict[str, Any]], description: str) -> dict[str, Any]:
    """A whole COCO keypoint file."""
    category = {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(NAMES),
        "skeleton": coco_skeleton(),
    }
    info = {"description": description, "version": "1.0"}
    return {"info": info, "licenses": [], "images": images, "annotations": annotations, "categories": [category]}
