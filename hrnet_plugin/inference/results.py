"""The results of a run as JSON: keypoints in COCO's layouts, shares of classes, likeliest classes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..deploy.description import NetworkDescription
from ..version import __version__
from .drawing import class_name, palette_of

Record = Mapping[str, Any]


def document(
    records: Sequence[Record],
    description: NetworkDescription,
    categories: Sequence[Mapping],
    videos: Sequence[Record] = (),
) -> bytes:
    """All results in one file; of poses in the layout of COCO's annotation files, which `pycocotools.COCO` opens.

    Args:
        records: Of images, or of frames of a video, with `name` and what `record_of` keeps.
        description: Of the network.
        categories: COCO's, of the persons.
        videos: Of videos, whose frames have a file of their own.
    """
    head: dict[str, Any] = {
        "info": {"description": f"predictions of {description.name}", "contributor": f"hrnet_plugin {__version__}"}
    }
    ids = image_ids(records)
    images = (_image(record, number, description) for record, number in zip(records, ids, strict=True))
    lists: dict[str, Iterable[Mapping]] = {"images": images}
    if description.task == "pose":
        lists["annotations"] = _annotations(records, ids)
        lists["categories"] = [_category(one, description) for one in categories]
    elif description.task == "segmentation":
        lists["classes"] = _segmentation_classes(description)
    if videos:
        lists["videos"] = ({"file_name": one["name"], "frames": one["frames"], **one["files"]} for one in videos)
    return _joined(head, lists)


def keypoint_results(records: Sequence[Record]) -> bytes:
    """The list that `COCO.loadRes` takes: a pose each, with the scores of keypoints in the place of visibilities."""
    rows = (
        {
            "image_id": number,
            "category_id": person["category_id"],
            "keypoints": [value for point in person["keypoints"] for value in point],
            "score": person["score"],
        }
        for record, number in zip(records, image_ids(records), strict=True)
        for person in record["persons"]
    )
    return b"[\n" + ",\n".join(map(json.dumps, rows)).encode() + b"\n]\n"


def image_ids(records: Sequence[Record]) -> list[int]:
    """Those of the file of boxes where it knows every image; else the images are counted from 1."""
    given = [record.get("image_id") for record in records]
    known = all(isinstance(one, int) for one in given) and len(set(given)) == len(given)
    return given if known else list(range(1, len(records) + 1))


def _image(record: Record, number: int, description: NetworkDescription) -> dict[str, Any]:
    image = {"id": number, "file_name": record["name"], "width": record["width"], "height": record["height"]}
    image |= {key: record[key] for key in ("frame", "seconds") if key in record} | dict(record.get("files", {}))
    if "shares" in record:
        image["classes"] = [_named(index, "share", share, description) for index, share in record["shares"]]
    if "classes" in record:
        image["classes"] = [_named(index, "score", score, description) for index, score in record["classes"]]
    return image


def _named(index: int, what: str, value: float, description: NetworkDescription) -> dict[str, Any]:
    return {"class": class_name(description.classes, index), "index": index, what: value}


def _annotations(records: Sequence[Record], ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    persons = ((number, person) for record, number in zip(records, ids, strict=True) for person in record["persons"])
    for count, (number, person) in enumerate(persons, 1):
        left, top, right, bottom = person["box"]
        box = [left, top, round(right - left, 3), round(bottom - top, 3)]
        found = [score > 0 for _, _, score in person["keypoints"]]
        points = [
            [x, y, 2] if is_found else [0, 0, 0] for (x, y, _), is_found in zip(person["keypoints"], found, strict=True)
        ]
        yield {
            "id": count,
            "image_id": number,
            "category_id": person["category_id"],
            "bbox": box,
            "area": round(box[2] * box[3], 3),
            "iscrowd": 0,
            "num_keypoints": sum(found),
            "keypoints": [value for point in points for value in point],
            "keypoint_scores": [score for _, _, score in person["keypoints"]],
            "score": person["score"],
            "box_score": person["box_score"],
        }


def _category(category: Mapping, description: NetworkDescription) -> dict[str, Any]:
    limbs = [[first + 1, second + 1] for first, second in description.skeleton.limbs]  # COCO counts from one
    return {**category, "keypoints": list(description.keypoint_names), "skeleton": limbs}


def _segmentation_classes(description: NetworkDescription) -> list[dict[str, Any]]:
    colours = palette_of(description.palette, len(description.classes)).tolist()
    return [
        {"index": index, "name": name, "colour": colour}
        for index, (name, colour) in enumerate(zip(description.classes, colours, strict=True))
    ]


def _joined(head: Mapping[str, Any], lists: Mapping[str, Iterable[Mapping]]) -> bytes:
    """One document with an entry a line: small enough to be kept as text, and fit to be searched line by line."""
    parts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    parts += [f"{json.dumps(key)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]" for key, rows in lists.items()]
    return ("{" + ",\n".join(parts) + "}\n").encode()
