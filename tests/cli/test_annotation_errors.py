"""What a training says of the file over which a data set or a metric stumbles."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS
from PIL import Image

from hrnet_plugin.cli.explain import explained
from hrnet_plugin.errors import DataError
from hrnet_plugin.zoo.quiet import in_scope

_POINTS = [f"point {index}" for index in range(17)]
CONTENT = {
    "images": [{"id": place, "file_name": f"{place}.png", "width": 24, "height": 16} for place in (0, 1)],
    "annotations": [
        {"id": place, "image_id": place, "category_id": 1, "bbox": [1, 1, 20, 12], "area": 240, "iscrowd": 0,
         "num_keypoints": 17, "keypoints": [5, 6, 2] * 17} for place in (0, 1)
    ],
    "categories": [{"id": 1, "name": "person", "keypoints": _POINTS, "skeleton": []}],
}  # fmt: skip
BOX = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two pictures."""
    folder = tmp_path_factory.mktemp("data")
    for place in (0, 1):
        Image.fromarray(np.full((16, 24, 3), 99, np.uint8)).save(folder / f"{place}.png")
    return folder


@pytest.fixture
def told(folder: Path) -> Callable[..., str]:
    """The line over a data set with the given content and options, all of whose samples are prepared."""

    def build(content: object, scope: str = "mmpose", **options: object) -> str:
        (folder / "ann.json").write_text(json.dumps(content))
        dataset = {"type": "CocoDataset", "ann_file": str(folder / "ann.json"), "data_prefix": {"img": f"{folder}/"}}
        dataset |= {"pipeline": [], **options}
        cfg = Config({"default_scope": scope, "train_dataloader": {"dataset": dataset}})
        with pytest.raises(DataError) as refused, in_scope(cfg), explained(cfg):
            _prepare_all(dataset)
        return str(refused.value)

    return build


def _prepare_all(dataset: dict) -> list:
    built = DATASETS.build(copy.deepcopy(dataset))
    return [built[index] for index in range(len(built))]


def changed(key: str, **values: object) -> dict:
    """The content with other values in the first row of a key; `...` takes one out."""
    content = copy.deepcopy(CONTENT)
    row = content[key][0] | values
    content[key][0] = {name: value for name, value in row.items() if value is not ...}
    return content


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (changed("annotations", keypoints=[1, 2, 2]), "1 annotation with another number of values"),
        (changed("annotations", keypoints="abc"), "1 annotation with another number of values"),
        (changed("annotations", keypoints=None), "1 annotation with another number of values"),
        (CONTENT | {"categories": [{"name": "person"}]}, "1 category without a usable id"),
        (changed("annotations", bbox="abc"), "1 box not of four finite numbers (annotation 0 (0.png): abc)"),
        (changed("annotations", bbox=[1, 2, 3]), "1 box not of four finite numbers"),
        (changed("annotations", area="x"), "1 area not a finite number"),
        (changed("annotations", image_id=...), "1 annotation without a usable id, image_id or category_id"),
        (changed("annotations", id=...), "1 annotation without a usable id"),
        (changed("images", file_name=...), "1 image without a usable id or file_name"),
        (changed("images", file_name=5), "1 image without a usable id or file_name"),
        (changed("images", id=[1]), "1 image without a usable id or file_name"),
        (changed("images", width=...), "1 image without a width and height above 0"),
        (changed("images", width="abc"), "1 image without a width and height above 0"),
        (CONTENT | {"annotations": {"a": 1}}, "a dict, expected a list of objects"),
        (CONTENT | {"images": None}, "a NoneType, expected a list of objects"),
        (CONTENT | {"categories": [1]}, "a int, expected a list of objects"),
        ({"shapes": []}, "keys shapes, expected COCO's keys"),
        ([1, 2], "a JSON list, expected COCO's keys"),
    ],
)
def test_annotations_of_poses(told, folder, content, found):
    # Flipping is what stumbles over keypoints of another number.
    line = told(content, pipeline=[{"type": "RandomFlip", "prob": 1.0}])
    assert f"annotation file {folder / 'ann.json'}" in line
    assert f"found {found}" in line


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (changed("annotations", bbox="abc"), "1 box not of four finite numbers"),
        (changed("images", height=None), "1 image without a width and height above 0"),
        (changed("annotations", area=...), "KeyError: 'area'"),
        (changed("categories", name=...), "1 category without a usable id, or without a name"),
    ],
)
def test_annotations_of_a_detector(told, folder, content, found):
    line = told(content, "mmdet")
    assert f"annotation file {folder / 'ann.json'}" in line
    assert f"found {found}" in line


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        (CONTENT, "an object with the keys images, annotations, categories"),
        ([{"image_id": 1}], "in box 0: no category_id, bbox, score"),
        ([BOX, BOX | {"image_id": 999999}], "in box 1: image_id 999999, which the annotation file does not have"),
        ([BOX | {"bbox": "abc"}], "in box 0: bbox 'abc'"),
        ([BOX | {"bbox": [1, 2, "a", 4]}], "in box 0: bbox [1, 2, 'a', 4]"),
        ([BOX | {"score": "x"}], "in box 0: score 'x'"),
        ([1], "in box 0: a int"),
        (7, "a int"),
    ],
)
def test_boxes(told, folder, boxes, found):
    path = folder / "boxes.json"
    path.write_text(json.dumps(boxes))
    line = told(CONTENT, bbox_file=str(path), test_mode=True)
    assert line.startswith(f"box file {path}: found {found}")
    assert "expected boxes of persons as a list, each with image_id, category_id, bbox" in line


def test_boxes_in_yaml_that_ask_for_code(told, folder):
    path = folder / "boxes.yaml"
    path.write_text("a: !!python/object/apply:os.mkdir [made]\n")
    line = told(CONTENT, bbox_file=str(path), test_mode=True)
    assert f"box file {path}: found could not determine a constructor for the tag" in line
    assert "os.mkdir" in line


def test_annotations_of_a_metric(folder):
    path = folder / "metric.json"
    path.write_text(json.dumps(CONTENT | {"annotations": [1]}))
    cfg = Config({"default_scope": "mmpose"})
    with pytest.raises(DataError, match=f"annotation file {path}: found a int"), in_scope(cfg), explained(cfg):
        METRICS.build({"type": "CocoMetric", "ann_file": str(path)})


def test_a_defect_of_a_transform_keeps_its_trace(folder):
    (folder / "ann.json").write_text(json.dumps(CONTENT))
    dataset = {"type": "CocoDataset", "ann_file": str(folder / "ann.json"), "data_prefix": {"img": f"{folder}/"}}
    dataset["pipeline"] = [{"type": "TopdownAffine", "input_size": (8, 8)}]  # without the one that it needs before it
    cfg = Config({"default_scope": "mmpose", "train_dataloader": {"dataset": dataset}})
    with pytest.raises(KeyError, match="bbox_"), in_scope(cfg), explained(cfg):
        _prepare_all(dataset)
