"""A data set of a few small pictures without a fault, to plant faults into."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.data.skeleton import NAMES, coco_skeleton

_WIDTH, _HEIGHT = 96, 64
_IMAGES, _PEOPLE = 5, 2


@dataclass
class Sample:
    """A data set of keypoints on disk, whose annotations a test may change before it is written.

    Args:
        root: Its folder; the images lie in `images`.
        content: Of the annotation file.
    """

    root: Path
    content: Any
    width: int = _WIDTH
    height: int = _HEIGHT

    @property
    def images(self) -> Path:
        """The folder of the images."""
        return self.root / "images"

    @property
    def annotations(self) -> list[dict]:
        """Of the file."""
        return self.content["annotations"]

    def save(self, name: str, pixels: np.ndarray, **options: Any) -> None:
        """Writes an image anew."""
        _save(self.images / name, pixels, **options)

    def write(self) -> Path:
        """Writes the annotation file and returns it."""
        path = self.root / "people.json"
        path.write_text(json.dumps(self.content))
        return path


def _person(rng: np.random.Generator, identity: int, image: int) -> dict[str, Any]:
    """An annotation inside its picture: some keypoints occluded, some not labelled."""
    low = rng.uniform((4, 4), (_WIDTH / 2, _HEIGHT / 2)).round(1)
    size = rng.uniform((20, 16), (_WIDTH / 2 - 4, _HEIGHT / 2 - 4)).round(1)
    points = np.column_stack([rng.uniform(low + 1, low + size - 1, (17, 2)).round(), rng.choice([0, 1, 2], 17)])
    points[0, 2] = 2
    points[points[:, 2] == 0] = 0
    return {
        "id": identity,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [*low.tolist(), *size.tolist()],
        "area": float(size.prod().round(1) / 2),
        "num_keypoints": int((points[:, 2] > 0).sum()),
        "keypoints": points.ravel().tolist(),
    }


def _save(path: Path, pixels: np.ndarray, **options: Any) -> None:
    """Writes a picture or a mask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def people(tmp_path: Path) -> Sample:
    """Five pictures with two people each, without a fault."""
    rng = np.random.default_rng(3)
    images, annotations = [], []
    for number in range(101, 101 + _IMAGES):
        name = f"{number:06d}.jpg"
        _save(tmp_path / "images" / name, rng.integers(0, 255, (_HEIGHT, _WIDTH, 3), np.uint8))
        images.append({"id": number, "file_name": name, "width": _WIDTH, "height": _HEIGHT})
        annotations += [_person(rng, 9000 + 10 * number + index, number) for index in range(_PEOPLE)]
    category = {"id": 1, "name": "person", "keypoints": list(NAMES), "skeleton": coco_skeleton()}
    return Sample(tmp_path, {"images": images, "annotations": annotations, "categories": [category]})


@dataclass
class MaskSample:
    """Pictures and masks on disk.

    Args:
        root: Its folder, with `images` and `masks`.
        labels: (H, W) of each mask, by its name without the ending.
    """

    root: Path
    labels: dict[str, np.ndarray]

    def write(self, name: str, pixels: np.ndarray, ending: str = ".png", **options: Any) -> None:
        """Writes a mask anew."""
        _save(self.root / "masks" / f"{name}{ending}", pixels, **options)


@pytest.fixture
def scenes(tmp_path: Path) -> Callable[[int], MaskSample]:
    """`scenes(classes)`: four pictures with masks of so many classes, without a fault."""

    def make(classes: int) -> MaskSample:
        rng = np.random.default_rng(5)
        sample = MaskSample(tmp_path, {})
        for number in range(4):
            name = f"{number:03d}"
            _save(tmp_path / "images" / f"{name}.jpg", rng.integers(0, 255, (_HEIGHT, _WIDTH, 3), np.uint8))
            labels = np.kron(rng.integers(0, classes, (8, 12), np.uint8), np.ones((8, 8), np.uint8))
            labels[:2] = 255
            sample.labels[name] = labels
            sample.write(name, labels)
        return sample

    return make
