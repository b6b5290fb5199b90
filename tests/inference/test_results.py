"""Predictions as plain values, and as files that other tools read."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from hrnet_plugin.deploy.predictions import ClassPrediction, PosePrediction, SegmentationPrediction
from hrnet_plugin.inference.persons import PERSON, Persons
from hrnet_plugin.inference.records import Records, person_score, record_of
from hrnet_plugin.inference.results import document, image_ids, keypoint_results


def posed(count: int) -> PosePrediction:
    rng = np.random.default_rng(count)
    scores = rng.uniform(0.3, 1, (count, 3)).astype(np.float32)
    scores[:, 1] = -0.1
    boxes = np.array([[1, 2, 31, 42.5]] * count, np.float32).reshape(-1, 4)
    return PosePrediction(rng.uniform(0, 50, (count, 3, 2)).astype(np.float32), scores, boxes, ("a", "b", "c"))


def records_of_two(**persons: object) -> Records:
    records = Records()
    for name, count in (("a.jpg", 2), ("sub/b.jpg", 0)):
        given = Persons(scores=(0.5,) * count, **persons)
        records.append({"name": name, "files": {"picture": "p"}, **record_of(posed(count), (60, 50), given, 5)})
    return records


@pytest.fixture
def opened(tmp_path: Path):
    """`opened(bytes)`: a COCO object of them."""

    def load(data: bytes) -> COCO:
        (tmp_path / "x.json").write_bytes(data)
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(str(tmp_path / "x.json"))

    return load


def test_poses_open_in_pycocotools(posing, opened):
    records = records_of_two()
    coco = opened(document(records, posing.description, [PERSON]))
    assert [image["file_name"] for image in coco.loadImgs([1, 2])] == ["a.jpg", "sub/b.jpg"]
    assert coco.loadImgs(1)[0] == {"id": 1, "file_name": "a.jpg", "width": 60, "height": 50, "picture": "p"}
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert coco.getAnnIds(imgIds=[2]) == []
    assert first["bbox"] == [1, 2, 30, 40.5]
    assert first["area"] == pytest.approx(30 * 40.5)
    assert first["num_keypoints"] == 2
    found = posed(2)
    assert first["keypoints"][:3] == pytest.approx([*found.keypoints[0, 0].tolist(), 2], abs=1e-3)
    assert first["keypoints"][3:6] == [0, 0, 0]  # its score is not positive
    assert first["keypoint_scores"] == pytest.approx(found.scores[0].tolist(), abs=1e-6)
    assert (first["id"], second["id"], first["iscrowd"], first["box_score"]) == (1, 2, 0, 0.5)
    (category,) = coco.loadCats(coco.getCatIds())
    assert category["keypoints"] == ["head", "left_hand", "right_hand"]
    assert category["skeleton"] == [[1, 2], [1, 3]]


def test_the_list_of_keypoints_is_loaded_as_results(posing, opened):
    records = records_of_two()
    coco = opened(document(records, posing.description, [PERSON]))
    rows = json.loads(keypoint_results(records))
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = coco.loadRes(rows)
    assert len(loaded.anns) == 2
    assert rows[0]["keypoints"][2::3] == pytest.approx(posed(2).scores[0].tolist(), abs=1e-6)
    assert {row["category_id"] for row in rows} == {1}


def test_poses_are_ranked_as_mmpose_ranks_them():
    """The formula of its CocoMetric, `bbox_keypoint`."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        box, scores = rng.uniform(), rng.uniform(-0.1, 1, 17)
        valid = [score for score in scores if score > 0.2]
        assert person_score(box, scores) == pytest.approx(box * sum(valid) / len(valid))
    assert person_score(1.0, np.full(17, 0.1)) == 0


def test_images_have_the_numbers_of_the_file_of_boxes():
    assert image_ids([{"image_id": 139}, {"image_id": 7}]) == [139, 7]
    assert image_ids([{"image_id": 139}, {"image_id": None}]) == [1, 2]
    assert image_ids([{"image_id": 7}, {"image_id": 7}, {}]) == [1, 2, 3]
    assert image_ids([]) == []


def test_categories_are_those_of_the_boxes(posing, opened):
    found = record_of(posed(1), (60, 50), Persons(categories=(4,)), 5)
    records = Records()
    records.append({"name": "a.jpg", **found})
    coco = opened(document(records, posing.description, [{"id": 4, "name": "horse"}]))
    assert [coco.cats[4]["name"], coco.anns[1]["category_id"]] == ["horse", 4]


def test_shares_of_classes(segmenting):
    labels = np.array([[0, 2, 2], [2, 2, 0]], np.uint8)
    found = record_of(SegmentationPrediction(labels, ("sky", "sea", "sand"), ()), (3, 2), None, 5)
    assert found["shares"] == [[2, pytest.approx(4 / 6, abs=1e-6)], [0, pytest.approx(2 / 6, abs=1e-6)]]
    content = json.loads(document([{"name": "a.jpg", **found}], segmenting.description, []))
    assert [one["class"] for one in content["images"][0]["classes"]] == ["sand", "sky"]
    assert [one["name"] for one in content["classes"]] == ["sky", "sea", "sand"]
    assert len({tuple(one["colour"]) for one in content["classes"]}) == 3


def test_likeliest_classes(classifying):
    scores = np.array([0.1, 0.6, 0.05, 0.25], np.float32)
    found = record_of(ClassPrediction(scores, ("x", "y")), (3, 2), None, 3)
    assert [index for index, _ in found["classes"]] == [1, 3, 0]
    content = json.loads(document([{"name": "a.jpg", **found}], classifying.description, []))
    assert content["images"][0]["classes"][0] == {"class": "1", "index": 1, "score": pytest.approx(0.6)}


def test_records_come_back_as_they_were():
    records = Records()
    for index in range(3):
        records.append({"index": index, "name": "größe"})
    assert [one["index"] for one in records] == [0, 1, 2]
    assert (len(records), records[-1]["name"]) == (3, "größe")
