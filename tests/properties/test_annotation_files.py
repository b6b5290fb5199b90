"""Annotation files: checked, or refused in a line, whatever stands in them and in their pictures' names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from bounds import check_line, outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from junk import JUNK, NUMBERS, TEXTS, spoilt
from mmengine.config import Config
from mmengine.registry import DATASETS
from PIL import Image

from hrnet_plugin.checks.data import check_coco
from hrnet_plugin.checks.data.drawing import draw_worst, write_sheet
from hrnet_plugin.checks.data.page import data_page
from hrnet_plugin.checks.data.report import DataReport
from hrnet_plugin.cli.explain import explained
from hrnet_plugin.cli.main import main
from hrnet_plugin.errors import UserError, visible
from hrnet_plugin.inference.box_files import BoxFile
from hrnet_plugin.inference.sources import Source
from hrnet_plugin.zoo.quiet import in_scope

_POINTS = ("nose", "left_eye", "right_eye")
NAMES = st.one_of(
    st.sampled_from(
        ("a.png", "b.png", "../a.png", "/dev/zero", "/dev/stdin", ".", "pipe", "a\0.png", "\ud800.png", "x" * 5000, "")
    ),
    TEXTS,
)


def row(index: int) -> st.SearchStrategy[dict]:
    """One annotation of the first or second picture."""
    return st.fixed_dictionaries(
        {
            "id": st.just(index),
            "image_id": st.integers(1, 2),
            "category_id": st.just(1),
            "bbox": st.lists(st.integers(0, 20), min_size=4, max_size=4),
            "area": st.integers(1, 400),
            "iscrowd": st.just(0),
            "keypoints": st.lists(st.integers(0, 2), min_size=9, max_size=9),
            "num_keypoints": st.integers(0, 3),
        },
        optional={
            "segmentation": st.sampled_from(
                (
                    [[1, 1, 9, 1, 9, 9]],
                    {"size": [10**9, 10**9], "counts": [10**18]},
                    {"size": [8, 8], "counts": "0" * 99},
                )
            )
        },
    )


CONTENT = st.fixed_dictionaries(
    {
        "images": st.lists(NAMES, min_size=2, max_size=2).map(
            lambda names: [
                {"id": place + 1, "file_name": name, "width": 24, "height": 16} for place, name in enumerate(names)
            ]
        ),
        "annotations": st.tuples(row(1), row(2), row(3)).map(list),
        "categories": st.just(
            [{"id": 1, "name": "person", "keypoints": list(_POINTS), "skeleton": [[1, 2], [2, 3]], "supercategory": ""}]
        ),
    }
)


#: Without a fault.
GOOD = {
    "images": [{"id": place, "file_name": f"{place}.png", "width": 24, "height": 16} for place in (0, 1)],
    "annotations": [
        {"id": place, "image_id": place, "category_id": 1, "bbox": [1, 1, 20, 12], "area": 240, "iscrowd": 0,
         "num_keypoints": 3, "keypoints": [5, 6, 2, 7, 7, 2, 9, 5, 1]} for place in (0, 1)
    ],
    "categories": [{"id": 1, "name": "person", "keypoints": list(_POINTS), "skeleton": []}],
}  # fmt: skip
BOXES = st.lists(
    st.fixed_dictionaries(
        {"image_id": st.one_of(st.integers(1, 2), NUMBERS), "category_id": st.just(1),
         "bbox": st.lists(NUMBERS, min_size=4, max_size=4), "score": NUMBERS}
    ),
    max_size=3,
)  # fmt: skip
_KEYPOINTS = {
    place: {"name": name, "id": place, "color": [0, 0, 0], "type": "upper", "swap": ""}
    for place, name in enumerate(_POINTS)
}


@pytest.fixture
def images(folder: Path) -> Path:
    """Two pictures, and a pipe that nobody writes into."""
    (folder / "images").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((16, 24, 3), 99, np.uint8)).save(folder / "images" / name)
    os.mkfifo(folder / "images" / "pipe")
    return folder / "images"


def _write(folder: Path, content: object) -> Path:
    path = folder / "annotations.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _check(found: DataReport | UserError, out: Path) -> None:
    """A report is told, drawn and written as well."""
    if isinstance(found, UserError):
        return
    for finding in found.findings:
        check_line(finding.line())
    json.dumps(found.to_plain())
    drawn = outcome(lambda: draw_worst([found]))
    if drawn:
        outcome(lambda: write_sheet(drawn, [found], out / "sheet.png"))


@tries(40, 10000)
@given(content=spoilt(CONTENT))
def test_a_spoilt_file_is_checked_or_refused(folder, images, content):
    path = _write(folder, content)
    _check(outcome(lambda: check_coco(path, images)), folder)


@tries(30, 5000)
@given(content=spoilt(CONTENT), decode=st.booleans())
def test_numbers_of_any_size_are_checked(folder, images, content, decode):
    annotations = content.get("annotations") if isinstance(content, dict) else None
    for one in annotations if isinstance(annotations, list) else ():
        if isinstance(one, dict):
            one["bbox"] = [1e308, -1e308, 1e308, 10**40]
            one["keypoints"] = [1e308, 2**70, 2, -1e308, 5e-324, 2, 1e38, 1, 1]
    path = _write(folder, content)
    _check(outcome(lambda: check_coco(path, images, decode=decode)), folder)


@tries(60, 10000)
@given(content=JUNK)
def test_any_json_is_checked_or_refused(folder, content):
    path = _write(folder, content)
    _check(outcome(lambda: check_coco(path)), folder)


@tries(60, 10000)
@given(
    content=CONTENT,
    how=st.sampled_from(("cut", "flip", "utf-16", "utf-8-sig", "latin-1", "twice", "nested")),
    place=st.floats(0, 1),
    byte=st.integers(0, 255),
)
def test_a_damaged_file_is_checked_or_refused(folder, content, how, place, byte):
    data = bytearray(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    at = int(place * (len(data) - 1))
    if how == "cut":
        del data[at:]
    elif how == "flip":
        data[at] ^= byte
    elif how == "twice":  # keys that stand there twice, the last without meaning
        data[-1:] = b', "images": [{"id": 1, "id": "1"}]}'
    elif how == "nested":
        data[-1:] = b', "images": ' + b"[" * 10**5 + b"]" * 10**5 + b"}"
    else:
        data[:] = data.decode("utf-8", "replace").encode(how, "replace")
    path = folder / "annotations.json"
    path.write_bytes(data)
    _check(outcome(lambda: check_coco(path)), folder)


@tries(10, 500)
@given(content=spoilt(CONTENT))
def test_the_command_says_it_in_lines(folder, images, content, capsys):
    path = _write(folder, content)
    status = outcome(lambda: main(["check-data", "--ann", str(path), "--images", str(images)]))
    assert status in (0, 1, 2)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert all(line == visible(line) for line in said.out.splitlines())


def _built(folder: Path, scope: str, content: object, boxes: object = None) -> object:
    """A data set of a framework, as a training builds it."""
    dataset = {"type": "CocoDataset", "ann_file": str(_write(folder, content)), "data_prefix": {"img": f"{folder}/"}}
    dataset["serialize_data"] = False  # it collects garbage, which takes longer than all the rest
    if scope == "mmpose":
        dataset["metainfo"] = {"dataset_name": "three", "keypoint_info": _KEYPOINTS, "joint_weights": [1] * 3,
                               "skeleton_info": {}, "sigmas": [0.1] * 3}  # fmt: skip
    if boxes is not None:
        (folder / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
        dataset |= {"bbox_file": str(folder / "boxes.json"), "test_mode": True}
    cfg = Config({"default_scope": scope, "train_dataloader": {"dataset": dataset}})
    with in_scope(cfg), explained(cfg):
        built = DATASETS.build({**dataset, "pipeline": []})
        return [built[place] for place in range(len(built))]


@tries(25, 4000)
@given(content=st.one_of(spoilt(CONTENT), JUNK), scope=st.sampled_from(("mmpose", "mmdet")))
def test_a_training_takes_or_refuses_a_spoilt_file(folder, content, scope):
    assert isinstance(outcome(lambda: _built(folder, scope, content)), (list, UserError))


@tries(25, 4000)
@given(content=spoilt(st.just(GOOD), most=1), scope=st.sampled_from(("mmpose", "mmdet")))
def test_what_a_training_refuses_is_told_before_it(folder, content, scope):
    if isinstance(outcome(lambda: _built(folder, scope, content)), UserError):
        found = outcome(lambda: check_coco(folder / "annotations.json", keypoints=scope == "mmpose"))
        assert isinstance(found, UserError) or found.errors


@tries(25, 4000)
@given(content=CONTENT, boxes=st.one_of(spoilt(BOXES), JUNK))
def test_a_test_takes_or_refuses_spoilt_boxes(folder, content, boxes):
    assert isinstance(outcome(lambda: _built(folder, "mmpose", content, boxes)), (list, UserError))


@tries(60, 10000)
@given(
    content=st.one_of(
        spoilt(CONTENT),
        JUNK,
        spoilt(st.dictionaries(NAMES, st.lists(st.lists(NUMBERS, min_size=4, max_size=5), max_size=2), max_size=2)),
        spoilt(BOXES),
    )
)
def test_boxes_of_any_content_are_taken_or_refused(folder, content):
    path = _write(folder, content)
    source = Source(folder / "a.png", "a.png")

    def read() -> list:
        boxes = BoxFile(path)
        return boxes.find(source, [None], [np.zeros((16, 24, 3), np.uint8)]) if boxes.has(source) else []

    found = outcome(read)
    assert isinstance(found, (list, UserError))


@pytest.mark.parametrize("reader", [check_coco, BoxFile])
def test_what_is_no_file_is_not_waited_for(folder, reader):
    os.mkfifo(folder / "pipe")
    (folder / "circle").symlink_to("circle")
    for name in ("pipe", "circle", "none", ".", "x" * 5000, "a\0b"):
        assert isinstance(outcome(lambda name=name: reader(folder / name)), UserError)


def test_a_page_of_a_spoilt_file_runs_nothing(folder, images):
    """Names of categories and pictures stand in the page as text."""
    evil = "<script>alert(1)</script>"
    content = {
        "images": [{"id": 1, "file_name": f"{evil}.png", "width": 24, "height": 16}],
        "annotations": [{"id": evil, "image_id": 1, "category_id": 1, "bbox": [0, 0, 0, 0], "area": 1, "iscrowd": 0}],
        "categories": [{"id": 1, "name": evil}],
    }
    report = check_coco(_write(folder, content), images)
    page = data_page(evil, {"file": evil}, [report], draw_worst([report]))
    assert page.write(folder / "page.html").read_text(encoding="utf-8").count(evil) == 0


def test_the_good_content_has_no_fault(folder):
    assert not check_coco(_write(folder, GOOD), keypoints=True).errors
    for scope in ("mmpose", "mmdet"):
        assert len(_built(folder, scope, GOOD)) == 2
