"""Annotation files: read whole, and known by what they hold."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrnet_plugin.errors import DataError

from .layouts import PLAIN, Layout, as_read, from_mpii

_KEYS = ("images", "annotations")
_COCO = "COCO's keys: images, annotations, categories"


@dataclass(frozen=True)
class AnnotationFile:
    """What stands in an annotation file.

    Args:
        path: The file.
        images, annotations, categories: Its rows in COCO's form.
        mpii: It is in MPII's own form, which knows no boxes and no sizes of images.
        joined: The keypoints were joined from several fields, which the categories do not name.
        listed: It lists images and has no place for annotations, as COCO's lists of test images.
    """

    path: Path
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    mpii: bool = False
    joined: bool = False
    listed: bool = False

    @property
    def has_keypoints(self) -> bool:
        """Whether any annotation holds keypoints."""
        return any("keypoints" in row for row in self.annotations)


def read_annotations(
    path: str | Path, *, keypoints: bool | None = None, layouts: tuple[Layout, ...] = PLAIN
) -> AnnotationFile:
    """Reads an annotation file.

    Args:
        path: COCO's keypoints or instances, or MPII's annotations.
        keypoints: Whether keypoints must be there; None takes what is there.
        layouts: Where the data set finds the keypoints.

    Raises:
        DataError: it is not there, no JSON, or a file of another kind.
    """
    path = Path(path).expanduser()
    content = _as_coco(path, read_json(path))
    listed = is_list_of_images(content)
    content = {"annotations": [], **content}
    rows = {key: _rows(path, key, content.get(key)) for key in (*_KEYS, "categories")}
    annotations = as_read(rows["annotations"], layouts)
    mpii, joined = content.get("mpii") is True, layouts != PLAIN
    found = AnnotationFile(path, rows["images"], annotations, rows["categories"], mpii, joined, listed)
    if keypoints and rows["annotations"] and not found.has_keypoints:
        fields = " and ".join(dict.fromkeys(part for layout in layouts for part in layout.parts))
        raise DataError(
            f"annotation file {path}",
            found=f"no annotation with {fields}: boxes for detection",
            expected="keypoints",
            do="Name the file of keypoints, such as person_keypoints_train2017.json",
        )
    return found


def read_json(path: Path) -> Any:
    """What stands in a JSON file.

    Raises:
        DataError: it is not there, a folder, or no JSON.
    """
    if not os.path.isfile(path):
        found = "a folder" if os.path.isdir(path) else "no such file"
        raise DataError(f"annotation file {path}", found=found, expected="a JSON file in COCO's form")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError: JSONDecodeError and UnicodeDecodeError
        raise DataError(
            f"annotation file {path}", found=f"broken JSON ({error})", do="Get or write the file anew"
        ) from error


def is_list_of_images(content: Any) -> bool:
    """Whether a file of this content lists images to test on, without annotations."""
    return isinstance(content, dict) and "images" in content and "annotations" not in content


def _as_coco(path: Path, content: Any) -> dict[str, Any]:
    if isinstance(content, dict):
        if all(key in content for key in _KEYS) or is_list_of_images(content):
            return content
        if "data_list" in content:
            found = "mmengine's own form (data_list)"
        else:
            found = f"keys {', '.join(map(str, list(content)[:5])) or 'none'}"
        raise DataError(f"annotation file {path}", found=found, expected=_COCO)
    if isinstance(content, list) and content and isinstance(content[0], dict):
        if "joints" in content[0]:
            return {**from_mpii([row for row in content if isinstance(row, dict)]), "mpii": True}
        if "score" in content[0]:
            found = "a list of results, with scores"
            raise DataError(f"annotation file {path}", found=found, expected=_COCO, do="Name the file of the truth")
    raise DataError(f"annotation file {path}", found=f"a JSON {type(content).__name__}", expected=_COCO)


def _rows(path: Path, key: str, value: Any) -> list[dict[str, Any]]:
    if value is None and key == "categories":
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        wrong = value if not isinstance(value, list) else next(row for row in value if not isinstance(row, dict))
        raise DataError(
            f"{key} of annotation file {path}", found=f"a {type(wrong).__name__}", expected="a list of objects"
        )
    return value
