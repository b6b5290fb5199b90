"""Scenes as rows of a COCO keypoint file."""

from __future__ import annotations

from typing import Any

import cv2
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


def outline(mask: np.ndarray) -> list[list[float]]:
    """The outlines of a mask as COCO polygons, each x, y, x, y, ... in pixels, pixel edges counted from 0.

    Args:
        mask: (H, W) bool.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    top, left = rows[0], columns[0]
    small = mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8)
    # Twice the size: otherwise outlines run through the middles of pixels and lose half a pixel all around.
    double = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, _ = cv2.findContours(double, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    polygons = []
    for contour in found:
        points = cv2.approxPolyDP(contour, 0.7, True)[:, 0]
        if len(points) >= 3:
            polygons.append(np.round(points * 0.5 + (left + 0.25, top + 0.25), 2).ravel().tolist())
    return polygons


def annotation(person: Person, number: int, image: int) -> dict[str, Any]:
    """The COCO annotation of person `number` of the image with id `image`."""
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
        "segmentation": outline(person.mask),
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
