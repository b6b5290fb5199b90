"""Person boxes from a file: COCO's annotations, COCO's detections, or boxes by file name."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError, nearest
from .persons import PERSON, Persons
from .sources import Source

_KINDS = 'COCO annotations, a list of COCO detections, or {"file": [[x1, y1, x2, y2], ...]}'


#: What an entry of COCO's files may hold, for those by which something is looked up or compared.
_SOUND: dict[str, Callable[[Any], bool]] = {
    "id": lambda value: isinstance(value, (int, str)),
    "image_id": lambda value: isinstance(value, (int, str)),
    "category_id": lambda value: isinstance(value, int),
    "file_name": lambda value: isinstance(value, str),
    "score": lambda value: _is_number(value),
}


@dataclass
class _Entry:
    """The boxes of one image, as they are read."""

    image_id: int | None = None
    size: tuple[int, int] | None = None
    boxes: list[Sequence[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    categories: list[int] = field(default_factory=list)

    def persons(self) -> Persons:
        boxes = np.array(self.boxes, np.float32).reshape(-1, 4)
        return Persons(boxes, tuple(self.scores), tuple(self.categories), self.image_id, self.size)


class BoxFile:
    """Boxes of persons by the names of images.

    Args:
        path: A COCO annotation file; a list of COCO detections; or a dict with lists of x1, y1, x2, y2 (and a score, if
            there is one) by file name. For a video, `clip.mp4` has boxes for all frames, `clip.mp4#12` for frame 12.
        person: Name or id of the category that is taken.
        least: Score below which a box is left out.
        names: For detections, which know images by their ids alone: a COCO annotation file that names them. None takes
            the number that an image's name consists of, as COCO's own do. An image without a detection holds nobody.

    Raises:
        DataError: no such file, or one of another kind.
        ConfigError: no category of this name.
    """

    def __init__(
        self, path: str | Path, *, person: str = "person", least: float = 0.0, names: str | Path | None = None
    ):
        self.path = Path(path).expanduser()
        content = _read(self.path, "--boxes")
        listing = _read(Path(names).expanduser(), "--image-ids") if names is not None else None
        self.categories: Sequence[dict] = [PERSON]
        self._by_number = False
        self._used: dict[str, str] = {}
        if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
            self._entries = self._annotations(content, person)
        elif isinstance(content, list):
            self._entries = self._detections(content, person, least, listing)
        elif isinstance(content, dict) and content and all(isinstance(value, list) for value in content.values()):
            self._entries = {str(name): self._simple(name, rows, least) for name, rows in content.items()}
        else:
            found = (
                f"a dict with {', '.join(list(content)[:5]) or 'nothing'}" if isinstance(content, dict) else "no list"
            )
            raise self._wrong(found)

    def has(self, source: Source) -> bool:
        """Whether the file knows an image, if only as one that holds nobody, or a video or frames of it.

        Raises:
            DataError: an entry fits this image and another one.
        """
        key = self._key(source)
        if key in self._entries and self._used.setdefault(key, source.name) != source.name:
            raise DataError(
                f"--boxes {self.path}: {key}",
                found=f"inputs {self._used[key]} and {source.name}",
                expected="one image of this name",
                do="Name images with their folders, or take one of them at a time",
            )
        # A detector that found nobody in an image leaves no line of it; of videos it says nothing.
        if key in self._entries or (key is not None and not source.is_video):
            return True
        return source.is_video and any(name.startswith(f"{source.path.name}#") for name in self._entries)

    def find(self, source: Source, frames: Sequence[int | None], images: Sequence[np.ndarray]) -> list[Persons]:
        """The boxes of images, or of frames of a video; none where the file has none."""
        key = self._key(source)
        whole = self._entries.get(key or "", _Entry(int(key) if key and self._by_number else None))
        of_frames = (self._entries.get(f"{source.path.name}#{frame}", whole) for frame in frames)
        return [entry.persons() for entry in of_frames]

    def _key(self, source: Source) -> str | None:
        """The entry of an image: the longest end of its path that the file knows."""
        parts = source.path.parts
        ends = ("/".join(parts[start:]) for start in range(1, len(parts)))
        if self._by_number:
            return str(int(source.path.stem)) if source.path.stem.isdecimal() else None
        return next((end for end in ends if end in self._entries), None)

    def _annotations(self, content: Mapping, person: str) -> dict[str, _Entry]:
        images = _listed(content, "images", ("id", "file_name"), self._wrong)
        annotations = _listed(content, "annotations", ("image_id", "category_id", "bbox"), self._wrong)
        wanted = self._choose(content.get("categories"), person)
        entries = {image["id"]: _Entry(_number(image["id"]), _size(image)) for image in images}
        for one in annotations:
            if one["image_id"] in entries and one["category_id"] in wanted and not one.get("iscrowd"):
                entry = entries[one["image_id"]]
                box = self._corners(one["bbox"], entry.size)
                if box is not None:
                    entry.boxes.append(box)
                    entry.categories.append(one["category_id"])
        return {_posix(image["file_name"]): entries[image["id"]] for image in images}

    def _detections(self, content: list, person: str, least: float, names: object) -> dict[str, _Entry]:
        found = _listed(
            {"detections": content}, "detections", ("image_id", "category_id", "bbox", "score"), self._wrong
        )
        known: dict[Any, str] = {}
        if names is not None:
            images = _listed(names, "images", ("id", "file_name"), _wrong_names)
            known = {image["id"]: _posix(image["file_name"]) for image in images}
        listed = names.get("categories") if isinstance(names, Mapping) else None
        wanted = self._choose(listed, person)
        self._by_number = names is None
        entries = {name: _Entry(_number(image_id)) for image_id, name in known.items()}
        for one in found:
            name = known.get(one["image_id"]) if names is not None else str(one["image_id"])
            box = self._corners(one["bbox"], None)
            if name is not None and box is not None and one["category_id"] in wanted and one["score"] >= least:
                entry = entries.setdefault(name, _Entry(_number(one["image_id"])))
                entry.boxes.append(box)
                entry.scores.append(float(one["score"]))
                entry.categories.append(one["category_id"])
        return entries

    def _simple(self, name: object, rows: list, least: float) -> _Entry:
        entry = _Entry()
        for row in rows:
            if not (isinstance(row, list) and len(row) in (4, 5) and all(map(_is_number, row))):
                raise self._wrong(f"{row!r:.60} for {name}", "x1, y1, x2, y2, and a score if there is one")
            if not (row[2] > row[0] and row[3] > row[1]):
                raise self._wrong(f"{row!r:.60} for {name}", "x1, y1, x2, y2 with x2 > x1 and y2 > y1")
            score = float(row[4]) if len(row) == 5 else 1.0
            if score >= least:
                entry.boxes.append(row[:4])
                entry.scores.append(score)
        return entry

    def _choose(self, categories: object, person: str) -> set[int]:
        """The ids of the categories that are taken; all of a file that has other creatures than persons."""
        if not isinstance(categories, list) or not categories:
            return {int(person) if person.isdecimal() else PERSON["id"]}
        listed = [one for one in categories if isinstance(one, dict) and isinstance(one.get("id"), int)]
        taken = [one for one in listed if person in (one.get("name"), str(one["id"]))]
        if not taken and person != PERSON["name"]:
            known = [str(one.get("name", one["id"])) for one in listed]
            raise ConfigError(
                f"--person-class {person}", found=f"none of this name in {self.path}", do=nearest(person, known)
            )
        self.categories = taken or listed
        return {one["id"] for one in self.categories}

    def _corners(self, box: object, size: tuple[int, int] | None) -> list[float] | None:
        """x1, y1, x2, y2 of COCO's x, y, width, height, within the image as mmpose takes it; None without an area."""
        if not (isinstance(box, list) and len(box) >= 4 and all(map(_is_number, box[:4]))):
            raise self._wrong(f"bbox {box!r:.60}", "x, y, width, height")
        left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
        if size is not None:
            left, right = (min(max(x, 0), size[0] - 1) for x in (left, right))
            top, bottom = (min(max(y, 0), size[1] - 1) for y in (top, bottom))
        return [left, top, right, bottom] if right > left and bottom > top else None

    def _wrong(self, found: str, expected: str = _KINDS) -> DataError:
        return DataError(f"--boxes {self.path}", found=found, expected=expected)


def _read(path: Path, flag: str) -> Any:
    if not os.path.isfile(path):
        found = "a folder" if os.path.isdir(path) else "no such file"
        raise DataError(f"{flag} {path}", found=found, expected="a JSON file")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{flag} {path}", found=error.strerror, expected="a JSON file") from error
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeDecodeError among them
        raise DataError(f"{flag} {path}", found=f"no JSON ({str(error)[:80]})", expected=_KINDS) from error


def _listed(content: object, key: str, needed: Iterable[str], wrong: Callable[[str, str], DataError]) -> list[dict]:
    """A list of dicts that have what is needed of them."""
    rows = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise wrong(f"no list of `{key}`", _KINDS)
    for row in rows:
        absent = [name for name in needed if name not in row]
        if absent:
            raise wrong(f"{key} without `{absent[0]}`", f"{', '.join(needed)} in each of them")
        unsound = [name for name in needed if name in _SOUND and not _SOUND[name](row[name])]
        if unsound:
            raise wrong(f"{key} with {unsound[0]} {row[unsound[0]]!r:.40}", f"{', '.join(needed)} as COCO has them")
    return rows


def _wrong_names(found: str, expected: str) -> DataError:
    return DataError("--image-ids", found=found, expected=f"a COCO annotation file: {expected}")


def _size(image: Mapping) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _number(given: object) -> int | None:
    return given if isinstance(given, int) else None


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and math.isfinite(given)


def _posix(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).as_posix()
