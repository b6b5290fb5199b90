"""Boxes from COCO's files and from a simple one, and the files that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hrnet_plugin.errors import ConfigError, DataError, UserError
from hrnet_plugin.inference.box_files import BoxFile
from hrnet_plugin.inference.persons import Persons
from hrnet_plugin.inference.sources import Source

ANNOTATIONS = {
    "images": [
        {"id": 7, "file_name": "val/a.jpg", "width": 100, "height": 80},
        {"id": 8, "file_name": "val/b.jpg", "width": 100, "height": 80},
        {"id": 9, "file_name": "c.jpg"},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 2, "bbox": [1, 1, 5, 5]},
        {"id": 3, "image_id": 7, "category_id": 1, "bbox": [-5, 60, 200, 50]},
        {"id": 4, "image_id": 7, "category_id": 1, "bbox": [0, 0, 50, 50], "iscrowd": 1},
        {"id": 5, "image_id": 7, "category_id": 1, "bbox": [10, 10, 0, 40]},
        {"id": 6, "image_id": 9, "category_id": 1, "bbox": [10, 20, 300, 40]},
        {"id": 7, "image_id": 99, "category_id": 1, "bbox": [10, 20, 300, 40]},
    ],
    "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
}
DETECTIONS = [
    {"image_id": 139, "category_id": 1, "bbox": [10, 20, 30, 40], "score": 0.9},
    {"image_id": 139, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.1},
    {"image_id": 139, "category_id": 18, "bbox": [0, 0, 5, 5], "score": 0.99},
    {"image_id": 7, "category_id": 1, "bbox": [5, 6, 7, 8.5], "score": 0.3},
]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """`written(content)`: a JSON file."""

    def write(content: object, name: str = "boxes.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def source(name: str) -> Source:
    return Source(Path("/data") / name, name)


def found(boxes: BoxFile, name: str, *frames: int) -> list[Persons]:
    numbers = list(frames) or [None]
    return boxes.find(source(name), numbers, [np.zeros((5, 5, 3), np.uint8)] * len(numbers))


def test_annotations_of_coco(written):
    boxes = BoxFile(written(ANNOTATIONS))
    assert [boxes.has(source(name)) for name in ("val/a.jpg", "val/b.jpg", "c.jpg", "d.jpg")] == [1, 1, 1, 0]
    assert found(boxes, "val/b.jpg")[0].boxes.shape == (0, 4)
    (a,) = found(boxes, "val/a.jpg")
    assert a.boxes.tolist() == [[10, 20, 40, 60], [0, 60, 99, 79]]  # persons alone, no crowds, within the image
    assert (a.image_id, a.size, a.categories) == (7, (100, 80), (1, 1))
    (c,) = found(boxes, "c.jpg")
    assert (c.boxes.tolist(), c.size) == ([[10, 20, 310, 60]], None)
    assert boxes.categories == [{"id": 1, "name": "person"}]


def test_boxes_are_those_of_mmpose(shared_dir):
    """Real annotations, as its data set reads them."""
    from mmengine.registry import init_default_scope
    from mmpose.datasets import CocoDataset

    init_default_scope("mmpose")
    root = shared_dir / "data/coco_open"
    file = "annotations/person_keypoints_val2017.json"
    theirs = CocoDataset(data_root=str(root), ann_file=file, data_prefix={"img": "val2017/"}, test_mode=True)
    boxes = BoxFile(root / file)
    assert len(theirs) == 19
    for index in range(len(theirs)):
        sample = theirs.get_data_info(index)
        (ours,) = boxes.find(Source(Path(sample["img_path"]), "x"), [None], [None])
        assert ours.image_id == sample["img_id"]
        assert (np.abs(ours.boxes - sample["bbox"]).max(1) < 1e-4).any()


def test_another_category_and_a_file_of_other_creatures(written):
    (dogs,) = found(BoxFile(written(ANNOTATIONS), person="dog"), "val/a.jpg")
    assert (dogs.boxes.tolist(), dogs.categories) == ([[1, 1, 6, 6]], (2,))
    assert len(found(BoxFile(written(ANNOTATIONS), person="2"), "val/a.jpg")[0].boxes) == 1
    horses = {**ANNOTATIONS, "categories": [{"id": 1, "name": "horse"}, {"id": 2, "name": "zebra"}]}
    boxes = BoxFile(written(horses))
    assert found(boxes, "val/a.jpg")[0].categories == (1, 2, 1)
    assert boxes.categories == horses["categories"]
    with pytest.raises(ConfigError, match=r"--person-class cat: found none of this name in .*boxes\.json.*dog, person"):
        BoxFile(written(ANNOTATIONS), person="cat")


def test_detections_know_images_by_number(written):
    boxes = BoxFile(written(DETECTIONS), least=0.3)
    (one,) = found(boxes, "000000000139.jpg")
    assert (one.boxes.tolist(), one.scores, one.image_id) == ([[10, 20, 40, 60]], (0.9,), 139)
    assert boxes.has(source("000000000007.jpg"))
    assert not boxes.has(source("photo_139.jpg"))
    assert len(found(BoxFile(written(DETECTIONS)), "139.jpg")[0].boxes) == 2
    assert found(BoxFile(written(DETECTIONS), person="18"), "139.jpg")[0].scores == (0.99,)


@pytest.mark.parametrize("content", [DETECTIONS, []])
def test_an_image_without_a_detection_holds_nobody(content, written):
    boxes = BoxFile(written(content))
    assert boxes.has(source("000000000140.jpg"))
    (nobody,) = found(boxes, "000000000140.jpg")
    assert (nobody.boxes.shape, nobody.image_id) == ((0, 4), 140)
    assert not boxes.has(source("140.mp4"))
    named = BoxFile(written(content), names=written(ANNOTATIONS, "names.json"))
    assert named.has(source("val/b.jpg"))
    (nobody,) = found(named, "val/b.jpg")
    assert (nobody.boxes.shape, nobody.image_id) == ((0, 4), 8)


def test_detections_with_a_file_of_names(written):
    boxes = BoxFile(written(DETECTIONS), least=0.3, names=written(ANNOTATIONS, "names.json"))
    assert found(boxes, "val/a.jpg")[0].boxes.tolist() == [[5, 6, 12, 14.5]]
    assert not boxes.has(source("000000000139.jpg"))


def test_boxes_by_file_name(written):
    content = {"val/a.jpg": [[1, 2, 3, 4], [5, 6, 7, 8, 0.2]], "b.jpg": [], "x/b.jpg": [[0, 0, 9, 9]]}
    boxes = BoxFile(written(content), least=0.1)
    (a,) = found(boxes, "val/a.jpg")
    assert (a.boxes.tolist(), a.scores, a.image_id) == ([[1, 2, 3, 4], [5, 6, 7, 8]], (1.0, 0.2), None)
    assert len(found(BoxFile(written(content), least=0.3), "val/a.jpg")[0].boxes) == 1
    assert [boxes.has(source(name)) for name in ("x/b.jpg", "y/b.jpg", "other/a.jpg")] == [True, True, False]
    assert [len(found(boxes, name)[0].boxes) for name in ("x/b.jpg", "y/b.jpg")] == [1, 0]


def test_frames_of_a_video(written):
    boxes = BoxFile(written({"clip.mp4": [[0, 0, 9, 9]], "clip.mp4#1": [[1, 1, 5, 5]], "only.mp4#3": [[2, 2, 3, 3]]}))
    assert [one.boxes.tolist() for one in found(boxes, "clip.mp4", 0, 1)] == [[[0, 0, 9, 9]], [[1, 1, 5, 5]]]
    assert [len(one.boxes) for one in found(boxes, "only.mp4", 2, 3)] == [0, 1]
    assert [boxes.has(source(name)) for name in ("clip.mp4", "only.mp4", "other.mp4")] == [True, True, False]


def test_one_entry_for_two_inputs_is_refused(written):
    boxes = BoxFile(written({"a.jpg": [[0, 0, 9, 9]]}))
    assert boxes.has(source("one/a.jpg"))
    assert boxes.has(source("one/a.jpg"))
    with pytest.raises(DataError, match=r"boxes\.json: a\.jpg: found inputs one/a\.jpg and two/a\.jpg, expected one"):
        boxes.has(source("two/a.jpg"))


_CAPTIONS = {"images": ANNOTATIONS["images"], "annotations": [{"id": 1, "image_id": 7, "caption": "A man."}]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", r"found no JSON \(.*\), expected COCO annotations"),
        ("", "found no JSON"),
        ("[" * 100_000, "found no JSON"),
        ("5", "found no list, expected COCO annotations, a list of COCO detections, or"),
        ({}, "found a dict with nothing"),
        ({"info": {}, "licenses": []}, "found a dict with info, licenses"),
        (_CAPTIONS, "found annotations without `category_id`, expected image_id, category_id, bbox in each of them"),
        ([{"image_id": 1, "category_id": 1, "keypoints": [1, 2, 3], "score": 1}], "found detections without `bbox`"),
        ([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}], "found detections without `score`"),
        ([[1, 2, 3, 4]], "found no list of `detections`"),
        ({"images": {}, "annotations": []}, "found no list of `images`"),
        ({"images": [{"id": [1], "file_name": "a"}], "annotations": []}, r"found images with id \[1\], expected"),
        ([{**DETECTIONS[0], "score": "high"}], "found detections with score 'high'"),
        ([{**DETECTIONS[0], "bbox": [1, 2]}], r"found bbox \[1, 2\], expected x, y, width, height"),
        ([{**DETECTIONS[0], "bbox": [1, 2, 3, float("nan")]}], r"found bbox \[1, 2, 3, nan\]"),
        ({"a.jpg": [[1, 2, 3]]}, r"found \[1, 2, 3\] for a\.jpg, expected x1, y1, x2, y2, and a score"),
        ({"a.jpg": [[9, 2, 3, 4]]}, r"found \[9, 2, 3, 4\] for a\.jpg, expected x1, y1, x2, y2 with x2 > x1"),
        ({"a.jpg": {"box": [1, 2, 3, 4]}}, r"found a dict with a\.jpg"),
    ],
)
def test_files_of_the_wrong_kind_are_one_line(content, words, written):
    with pytest.raises(DataError, match=words) as caught:
        BoxFile(written(content))
    assert str(caught.value).startswith("--boxes /")
    assert "\n" not in str(caught.value)


def test_no_such_file_a_folder_and_names_that_are_none(written, tmp_path):
    with pytest.raises(DataError, match=r"--boxes gone\.json: found no such file, expected a JSON file"):
        BoxFile("gone.json")
    with pytest.raises(DataError, match="found a folder, expected a JSON file"):
        BoxFile(tmp_path)
    with pytest.raises(UserError, match="--image-ids: found no list of `images`, expected a COCO annotation file"):
        BoxFile(written(DETECTIONS), names=written([1], "names.json"))
