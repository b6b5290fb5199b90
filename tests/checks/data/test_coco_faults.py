"""Data that is broken in one way: that is found, told by its id or file, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.checks.data import check_coco
from hrnet_plugin.data.skeleton import NAMES
from hrnet_plugin.findings import ERROR, NOTE

PLANTED: list[Planted] = []


@dataclass(frozen=True)
class Planted:
    """A fault, and how it must be told.

    Args:
        check: Its name.
        level: Of the finding.
        examples: Words that its first example holds.
        count: How many there are.
        plant: Breaks a sample.
    """

    check: str
    level: str
    example: str
    count: int
    plant: Callable[[Any], None]


def planted(check: str, example: str = "", level: str = ERROR, count: int = 1):
    """Puts the function that plants a fault into the list."""

    def listed(plant: Callable[[Any], None]) -> Callable[[Any], None]:
        PLANTED.append(Planted(check, level, example, count, plant))
        return plant

    return listed


def labelled(row: dict, which: int = 0) -> int:
    """The position in `keypoints` of the x of a labelled keypoint."""
    return 3 * int(np.flatnonzero(np.array(row["keypoints"][2::3]) > 0)[which])


# Image files


@planted("image-missing", "000102.jpg")
def a_missing_image(sample):
    (sample.images / "000102.jpg").unlink()


@planted("image-truncated", "000103.jpg: a truncated file")
def a_truncated_image(sample):
    path = sample.images / "000103.jpg"
    path.write_bytes(path.read_bytes()[:700])


@planted("image-truncated", "000103.jpg: an empty file")
def an_empty_image(sample):
    (sample.images / "000103.jpg").write_bytes(b"")


@planted("image-unreadable", "000104.jpg: UnidentifiedImageError")
def a_text_as_an_image(sample):
    (sample.images / "000104.jpg").write_text("404: Not Found")


@planted("image-size", "000101.jpg: 80x64, in the file 96x64")
def an_image_of_another_size(sample):
    sample.save("000101.jpg", np.zeros((sample.height, 80, 3), np.uint8))


@planted("image-size", "000105.jpg: 64x96, in the file 96x64 (width and height exchanged)")
def width_and_height_exchanged(sample):
    sample.save("000105.jpg", np.zeros((sample.width, sample.height, 3), np.uint8))


@planted("image-orientation", "000102.jpg: EXIF orientation 6")
def an_image_that_is_turned_when_read(sample):
    exif = Image.Exif()
    exif[274] = 6
    sample.save("000102.jpg", np.zeros((sample.height, sample.width, 3), np.uint8), exif=exif)


@planted("image-exif", "000102.jpg: EXIF orientation 6", NOTE)
def an_image_that_is_turned_and_annotated_so(sample):
    exif = Image.Exif()
    exif[274] = 6
    sample.save("000102.jpg", np.zeros((sample.width, sample.height, 3), np.uint8), exif=exif)


@planted("image-size-field", "000104.jpg")
def an_image_without_a_width(sample):
    del sample.content["images"][3]["width"]


# Ids


@planted("duplicate-image-id", "000103.jpg: id 102")
def an_image_id_twice(sample):
    sample.annotations[:] = [row for row in sample.annotations if row["image_id"] != 103]
    sample.content["images"][2]["id"] = 102


@planted("duplicate-annotation-id", "annotation 10020 (000102.jpg)")
def an_annotation_id_twice(sample):
    sample.annotations[3]["id"] = sample.annotations[2]["id"]


@planted("duplicate-file-name", "000101.jpg: image 102")
def a_file_twice(sample):
    sample.content["images"][1]["file_name"] = "000101.jpg"


@planted("duplicate-annotation", "annotation 7 (000101.jpg)", NOTE)
def an_annotation_twice(sample):
    sample.annotations.append({**sample.annotations[0], "id": 7})


@planted("annotation-without-image", "annotation 10010 (555): no such image")
def an_annotation_of_no_image(sample):
    sample.annotations[0]["image_id"] = 555


@planted("swapped-ids", "annotation 10010 (000101.jpg)", count=10)
def ids_and_image_ids_exchanged(sample):
    for row in sample.annotations:
        row["id"], row["image_id"] = row["image_id"], row["id"]


@planted("swapped-ids", "(000101.jpg)", count=10)
def ids_exchanged_where_both_count_from_one(sample):
    for number, row in enumerate(sample.content["images"], start=1):
        row["id"] = number
    for number, row in enumerate(sample.annotations):
        row["id"], row["image_id"] = number // 2 + 1, number + 1


@planted("image-fields", "image 103")
def an_image_without_a_name(sample):
    del sample.content["images"][2]["file_name"]


@planted("annotation-fields", "annotation None (000101.jpg)")
def an_annotation_without_an_id(sample):
    del sample.annotations[1]["id"]


@planted("annotation-fields", "annotation 10011 (101)")
def an_image_id_as_text(sample):
    sample.annotations[1]["image_id"] = "101"


@planted("image-without-annotation", "000101.jpg", NOTE)
def an_image_without_people(sample):
    del sample.annotations[:2]


# Boxes and areas


@planted("box-missing", "annotation 10011 (000101.jpg)")
def no_box(sample):
    del sample.annotations[1]["bbox"]


@planted("box-numbers", "annotation 10011 (000101.jpg): [10, 10, nan, 20]")
def a_box_that_is_not_a_number(sample):
    sample.annotations[1]["bbox"] = [10, 10, float("nan"), 20]


@planted("box-numbers", "[10, 10, 20]")
def a_box_of_three_numbers(sample):
    sample.annotations[1]["bbox"] = [10, 10, 20]


@planted("box-empty", "annotation 10011 (000101.jpg): [10, 10, 0, 20]")
def a_box_of_no_width(sample):
    sample.annotations[1]["bbox"] = [10, 10, 0, 20]


@planted("box-outside", "annotation 10011 (000101.jpg): [100, 10, 20, 20]")
def a_box_outside_the_image(sample):
    sample.annotations[1]["bbox"] = [100, 10, 20, 20]


@planted("box-beyond-edge", "annotation 10011 (000101.jpg): [10, 10, 90, 20]", NOTE)
def a_box_over_the_edge(sample):
    sample.annotations[1]["bbox"] = [10, 10, 90, 20]


@planted("box-corners", "annotation 10010 (000101.jpg): [", count=10)
def boxes_as_corners(sample):
    for row in sample.annotations:
        left, top, wide, tall = row["bbox"]
        row["bbox"] = [left, top, left + wide, top + tall]


@planted("box-shares", "annotation 10010 (000101.jpg)", count=10)
def boxes_as_shares_of_the_image(sample):
    for row in sample.annotations:
        left, top, wide, tall = row["bbox"]
        row["bbox"] = [left / sample.width, top / sample.height, wide / sample.width, tall / sample.height]


@planted("area-zero", "annotation 10011 (000101.jpg)")
def no_area(sample):
    sample.annotations[1]["area"] = 0


@planted("area-missing", "annotation 10011 (000101.jpg)", NOTE)
def no_area_at_all(sample):
    del sample.annotations[1]["area"]


@planted("area-numbers", "annotation 10011 (000101.jpg): None")
def an_area_of_null(sample):
    sample.annotations[1]["area"] = None


@planted("area-numbers", "annotation 10011 (000101.jpg): -5")
def a_negative_area(sample):
    sample.annotations[1]["area"] = -5


# Keypoints


@planted("keypoint-outside", "annotation 10011 (000101.jpg): nose at (150, ")
def a_keypoint_outside_the_image(sample):
    sample.annotations[1]["keypoints"][0] = 150


@planted("keypoint-beyond-edge", "annotation 10011 (000101.jpg): nose at (97.5, ", NOTE)
def a_keypoint_just_outside_the_image(sample):
    sample.annotations[1]["keypoints"][0] = 97.5


@planted("keypoint-numbers", "annotation 10011 (000101.jpg)")
def a_keypoint_that_is_not_a_number(sample):
    sample.annotations[1]["keypoints"][0] = float("nan")


@planted("keypoint-numbers", "annotation 10011 (000101.jpg)")
def an_infinite_keypoint(sample):
    sample.annotations[1]["keypoints"][1] = float("inf")


@planted("keypoint-numbers", "annotation 10011 (000101.jpg)")
def a_keypoint_as_text(sample):
    sample.annotations[1]["keypoints"][0] = "31"


@planted("keypoint-visibility", "annotation 10011 (000101.jpg): 3")
def an_unknown_visibility(sample):
    sample.annotations[1]["keypoints"][2] = 3


@planted("num-keypoints", "annotation 10011 (000101.jpg): 17, labelled ")
def a_wrong_number_of_labelled_keypoints(sample):
    row = sample.annotations[1]
    first = labelled(row, 1)
    row["keypoints"][first : first + 3] = [0, 0, 0]
    row["num_keypoints"] = 17


@planted("keypoint-count", "annotation 10011 (000101.jpg): 48 values")
def a_keypoint_too_few(sample):
    row = sample.annotations[1]
    del row["keypoints"][-3:]
    row["num_keypoints"] = int((np.array(row["keypoints"][2::3]) > 0).sum())


@planted("keypoint-at-origin", "annotation 10011 (000101.jpg): nose, ")
def labels_where_there_are_no_keypoints(sample):
    row = sample.annotations[1]
    for which in (0, 1):
        first = labelled(row, which)
        row["keypoints"][first : first + 2] = [0, 0]


@planted("keypoint-shares", "annotation 10010 (000101.jpg)", count=10)
def keypoints_as_shares_of_the_image(sample):
    for row in sample.annotations:
        points = np.array(row["keypoints"]).reshape(17, 3) / (sample.width, sample.height, 1)
        row["keypoints"] = points.ravel().tolist()


@planted("keypoint-not-labelled", "annotation 10011 (000101.jpg): nose", NOTE)
def a_place_of_visibility_zero(sample):
    row = sample.annotations[1]
    row["keypoints"][2] = 0
    row["num_keypoints"] -= 1


@planted("keypoint-outside-box", "annotation 10011 (000101.jpg): nose at (", NOTE)
def a_keypoint_outside_its_box(sample):
    row = sample.annotations[1]
    row["keypoints"][0] = row["bbox"][0] - 3.5


@planted("nothing-labelled", "")
def no_label_in_the_whole_file(sample):
    for row in sample.annotations:
        row["keypoints"], row["num_keypoints"] = [0] * 51, 0


@planted("no-keypoints", "annotation 10011 (000101.jpg)", NOTE)
def a_person_without_keypoints(sample):
    sample.annotations[1]["keypoints"], sample.annotations[1]["num_keypoints"] = [0] * 51, 0


@planted("crowd", "annotation 10011 (000101.jpg)", NOTE)
def a_crowd(sample):
    sample.annotations[1].update(iscrowd=1, keypoints=[0] * 51, num_keypoints=0)


@planted("keypoint-never-labelled", "right_ankle", NOTE)
def a_keypoint_that_is_never_labelled(sample):
    for row in sample.annotations:
        row["keypoints"][-3:] = [0, 0, 0]
        row["num_keypoints"] = int((np.array(row["keypoints"][2::3]) > 0).sum())


# Categories


@planted("category-unknown", "annotation 10011 (000101.jpg): category_id 2")
def an_unknown_category(sample):
    sample.annotations[1]["category_id"] = 2


@planted("no-categories", "")
def no_categories(sample):
    del sample.content["categories"]


@planted("category-fields", "category None (person)")
def a_category_without_an_id(sample):
    sample.content["categories"].append({**sample.content["categories"][0]})
    del sample.content["categories"][-1]["id"]


@planted("duplicate-category-id", "category 1 (person)")
def a_category_twice(sample):
    sample.content["categories"] *= 2


@planted("category-without-keypoints", "category 1 (person)", NOTE)
def a_category_without_keypoints(sample):
    del sample.content["categories"][0]["keypoints"]


@planted("keypoint-order", "right_eye: keypoint 1 of the file, 2 of the config", count=2)
def keypoints_in_another_order(sample):
    names = sample.content["categories"][0]["keypoints"]
    names[1], names[2] = names[2], names[1]


@planted("keypoint-names", "muzzle, in the config nose", NOTE)
def another_name_of_a_keypoint(sample):
    sample.content["categories"][0]["keypoints"][0] = "muzzle"


@planted("keypoint-count", "0 values")
def an_annotation_whose_keypoints_are_null(sample):
    sample.annotations[0]["keypoints"] = None


@planted("category-keypoints", "category 1 (person)")
def a_category_that_names_a_keypoint_too_few(sample):
    sample.content["categories"][0]["keypoints"].pop()


@planted("no-annotations", "")
def no_annotations(sample):
    sample.content["annotations"] = []


def coco_metainfo() -> dict:
    """Of mmpose's own data set."""
    from mmpose.datasets import CocoDataset

    return CocoDataset._load_metainfo({"from_file": "configs/_base_/datasets/coco.py"})


@pytest.fixture(scope="module")
def metainfo() -> dict:
    with pytest.warns(UserWarning, match="A matched config file"):
        return coco_metainfo()


def test_data_without_a_fault_has_none(people, metainfo):
    report = check_coco(people.write(), people.images, metainfo=metainfo)
    assert report.findings == []
    assert report.counts == {"images": 5, "annotations": 10, "with keypoints": 10, "crowds": 0}


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.plant.__name__)
def test_one_fault_is_found_and_named(people, metainfo, fault: Planted):
    fault.plant(people)
    report = check_coco(people.write(), people.images, metainfo=metainfo)
    found = [finding for finding in report.findings if finding.check == fault.check]
    assert [finding.level for finding in found] == [fault.level], report.findings
    assert found[0].count == fault.count
    assert fault.example in " ".join(found[0].examples[:1])
    assert [finding.check for finding in report.errors] == [fault.check] * (fault.level == ERROR)
    assert "\n" not in found[0].line()
    assert json.loads(json.dumps(report.to_plain()))["findings"]


def test_there_are_many_of_them():
    assert len(PLANTED) > 50
    assert len({fault.check for fault in PLANTED}) > 40


def test_without_a_config_the_file_is_held_against_itself(people):
    del people.content["categories"][0]["keypoints"][-1]
    report = check_coco(people.write(), people.images)
    (error,) = report.errors
    assert (error.check, error.count) == ("keypoint-count", 10)
    assert error.expected == "48: x, y, visibility of 16 keypoints"


def test_a_config_of_other_keypoints(people):
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    horses = {
        "dataset_name": "horses",
        "keypoint_info": {number: {"name": f"part {number}", "id": number} for number in range(5)},
        "skeleton_info": {},
        "joint_weights": [1.0] * 5,
        "sigmas": [0.05] * 4,
    }
    report = check_coco(people.write(), people.images, metainfo=parse_pose_metainfo(horses))
    assert [error.check for error in report.errors] == ["config-keypoints", "config-sigmas"]
    assert report.errors[0].line().startswith("keypoints of people.json: found 17 keypoints, expected the 5 of the")
    assert report.errors[1].line() == (
        "metainfo of the config of people.json: found 4 sigmas, expected 5, one for each keypoint"
    )


def test_no_image_is_opened_where_none_is_asked_for(people):
    for path in people.images.iterdir():
        path.unlink()
    assert check_coco(people.write()).findings == []


def test_what_is_broken_behind_its_header_is_found_by_decoding(people):
    path = people.images / "000103.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (people.height, people.width, 3), np.uint8)).save(
        path, "PNG"
    )
    data = bytearray(path.read_bytes())
    data[2000:2500] = bytes(500)
    path.write_bytes(data)
    file = people.write()
    assert check_coco(file, people.images).findings == []
    (error,) = check_coco(file, people.images, decode=True).errors
    assert (error.check, error.examples) == (
        "image-unreadable",
        ("000103.jpg: its header is right, its pixels are not",),
    )


def test_frequencies(people):
    for row in people.annotations:
        row["keypoints"] = [10.0, 10.0, 2] + [0, 0, 0] * 16
        row["num_keypoints"] = 1
    people.annotations[0]["keypoints"][3:6] = [12.0, 12.0, 1]
    people.annotations[1]["keypoints"], people.annotations[0]["num_keypoints"] = [0] * 51, 2
    people.annotations[1]["num_keypoints"] = 0
    (table,) = check_coco(people.write(), people.images).frequencies
    assert table.head == ["keypoint", "annotations", "labelled", "visible", "occluded"]
    assert [row.name for row in table.rows] == list(NAMES)
    assert table.rows[0].count == 9
    assert table.rows[0].shares == {"labelled": 1.0, "visible": 1.0, "occluded": 0.0}
    assert table.rows[1].shares == pytest.approx({"labelled": 1 / 9, "visible": 0.0, "occluded": 1 / 9})
