"""Boxes and masks in COCO's form, and maps of stuff beside them, for detection."""

from __future__ import annotations

import numpy as np

from .pictures import SIZE, box_of, draw_shapes, fill, write_image
from .plan import Plan, write_json

_IMAGES, _OBJECTS = 3, 4
#: The classes of COCO-Stuff's maps, things and stuff together; 255 is none of them.
_STUFF = 183


def write_boxes(plan: Plan) -> None:
    """Write the pictures and annotations of a detection data set, and its maps of stuff where the config reads them.

    Raises:
        OSError: a file cannot be written.
    """
    classes = plan.metainfo["classes"]
    images, annotations = [], []
    for number in range(1, _IMAGES + 1):
        rng = plan.generator(number)
        picture, outlines = draw_shapes(rng, _OBJECTS)
        write_image(plan.folder("img") / f"{number:06d}.jpg", picture)
        images.append({"id": number, "file_name": f"{number:06d}.jpg", "width": SIZE[0], "height": SIZE[1]})
        for outline in outlines:
            annotations.append(_row(len(annotations) + 1, number, outline, int(rng.integers(len(classes))) + 1))
        if "seg" in plan.dataset["data_prefix"]:
            write_image(plan.folder("seg") / f"{number:06d}.png", _stuff(rng, outlines))
    categories = [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, start=1)]
    write_json(plan.annotations, {"images": images, "annotations": annotations, "categories": categories})


def _row(identity: int, image: int, outline: np.ndarray, category: int) -> dict[str, object]:
    box = box_of(outline)
    return {
        "id": identity,
        "image_id": image,
        "category_id": category,
        "bbox": box,
        "area": box[2] * box[3] * 0.7,
        "iscrowd": 0,
        "segmentation": [[float(value) for value in outline.ravel()]],
    }


def _stuff(rng: np.random.Generator, outlines: list[np.ndarray]) -> np.ndarray:
    labels = np.full((SIZE[1], SIZE[0]), rng.integers(_STUFF), np.uint8)
    for outline in outlines:
        fill(labels, outline, int(rng.integers(_STUFF)))
    labels[:3] = 255
    return labels
