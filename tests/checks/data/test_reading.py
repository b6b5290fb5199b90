"""Files of the wrong kind give one line; other forms are read as their data sets read them."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.checks.data import check_coco, check_masks
from hrnet_plugin.checks.data.layouts import LAYOUTS
from hrnet_plugin.errors import DataError


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "found broken JSON (Expecting property name"),
        ("\xff", "found broken JSON"),
        ([], "found a JSON list, expected COCO's keys: images, annotations, categories"),
        ([{"image_id": 1, "category_id": 1, "keypoints": [1], "score": 0.5}], "found a list of results, with scores"),
        ({"metainfo": {}, "data_list": []}, "found mmengine's own form (data_list)"),
        ({"shapes": [], "imagePath": ""}, "found keys shapes, imagePath, expected COCO's keys"),
        ({}, "found keys none"),
        (17, "found a JSON int"),
        ({"images": ["a.jpg"], "annotations": []}, "images of annotation file"),
        ({"images": {"1": {}}, "categories": []}, "images of annotation file"),
        ({"images": [], "annotations": {"1": {}}}, "annotations of annotation file"),
    ],
)
def test_a_file_of_another_kind_is_one_line(tmp_path, content, words):
    path = tmp_path / "a.json"
    if isinstance(content, str):
        path.write_text(content, encoding="latin-1")
    else:
        path.write_text(json.dumps(content))
    with pytest.raises(DataError) as error:
        check_coco(path)
    assert words in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_boxes_where_keypoints_are_asked_for(people):
    for row in people.annotations:
        del row["keypoints"]
    path = people.write()
    with pytest.raises(DataError, match="no annotation with keypoints: boxes for detection, expected keypoints"):
        check_coco(path, people.images, keypoints=True)
    assert check_coco(path, people.images).errors == [], "boxes are data of their own"


def test_a_file_of_nothing(people):
    path = people.write()
    for content in ({"images": [], "categories": []}, {"images": [], "annotations": [], "categories": []}):
        path.write_text(json.dumps(content))
        assert "no-images" in [error.check for error in check_coco(path).errors]


@pytest.mark.parametrize("path", ["nowhere.json", "."])
def test_no_file(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"annotation file {path}: found (no such file|a folder), expected a JSON file"):
        check_coco(path)


def test_no_folder(people, scenes):
    path = people.write()
    with pytest.raises(DataError, match="found no such folder"):
        check_coco(path, "nowhere")
    with pytest.raises(DataError, match="found a file"):
        check_coco(path, path)
    with pytest.raises(DataError, match=r"masks .*people\.json: found a file, expected a folder of masks"):
        check_masks(people.images, path, 2)
    empty = people.root / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"images .*empty: found none, expected files that end with \.jpg or"):
        check_masks(empty, empty, 2)
    with pytest.raises(DataError, match="found none, expected at least one"):
        check_masks(people.images, empty, [])


def test_boxes_without_area_or_size_are_left_out_in_training(people):
    for row in people.annotations:
        del row["keypoints"]
    people.annotations[0]["area"] = 0
    people.annotations[1]["bbox"] = [10, 10, 20, 0]
    del people.annotations[2]["area"]
    report = check_coco(people.write(), people.images, metainfo={"classes": ("person", "dog")})
    assert [(finding.level, finding.check) for finding in report.findings] == [
        ("error", "area-missing"),
        ("note", "class-absent"),
        ("note", "box-empty"),
        ("note", "area-zero"),
    ]
    report = check_coco(people.write(), people.images, metainfo={"classes": ("dog", "cat")})
    assert [finding.check for finding in report.errors] == ["config-classes", "area-missing"]


def test_mpii_has_a_form_of_its_own(people):
    rows = [
        {"image": "000101.jpg", "center": [40, 30], "scale": 0.3, "joints": [[20, 20], [-1, -1]], "joints_vis": [1, 0]},
        {"image": "000101.jpg", "center": [40, 30], "scale": 0.3, "joints": [[20, 20], [300, 9]], "joints_vis": [1, 1]},
    ]
    people.content = rows
    report = check_coco(people.write(), people.images)
    assert report.counts == {"images": 1, "annotations": 2, "with keypoints": 2, "crowds": 0}
    (error,) = report.errors
    assert (error.check, error.examples) == (
        "keypoint-outside",
        ("annotation 1 (000101.jpg): keypoint 1 at (300, 9)",),
    ), "the size is the image's own"


def test_whole_bodies_are_joined(people):
    for row in people.annotations:
        row.update(foot_kpts=[20, 20, 1] * 6, face_kpts=[20, 20, 1] * 68, lefthand_kpts=[20, 20, 1] * 21)
        row.update(righthand_kpts=[20, 20, 0.7] * 21)
    report = check_coco(people.write(), people.images, layouts=LAYOUTS["CocoWholeBodyDataset"])
    assert len(report.frequencies[0].rows) == 133
    assert report.errors == []
    assert "keypoint-visibility" in [finding.check for finding in report.findings]
    people.annotations[0]["face_kpts"][3:5] = [500, 20]
    (error,) = check_coco(people.write(), people.images, layouts=LAYOUTS["CocoWholeBodyDataset"]).errors
    assert error.examples == ("annotation 10010 (000101.jpg): keypoint 24 at (500, 20)",)


def test_each_hand_is_one(people):
    for row in people.annotations:
        row.update(lefthand_kpts=[20, 20, 2] * 21, lefthand_box=[10, 10, 20, 20], lefthand_valid=True)
        row.update(righthand_kpts=[0, 0, 0] * 21, righthand_box=[0, 0, 0, 0], righthand_valid=False)
    people.annotations[2].update(righthand_kpts=[20, 70, 2] * 21, righthand_box=[10, 10, 20, 20], righthand_valid=True)
    report = check_coco(people.write(), people.images, layouts=LAYOUTS["CocoWholeBodyHandDataset"])
    assert report.counts["annotations"] == 11
    (error,) = report.errors
    assert (error.check, error.examples) == (
        "keypoint-outside",
        ("annotation 10020 righthand_box (000102.jpg): keypoint 0 at (20, 70)",),
    )
