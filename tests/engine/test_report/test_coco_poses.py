"""Poses of a COCO metric: its own pairs, its own similarities, whatever boxes the persons were cut out by."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mmengine.evaluator import Evaluator
from mmpose.evaluation.metrics import CocoMetric
from xtcocotools.cocoeval import COCOeval

from hrnet_plugin.analysis.pose_figures import pair_poses
from hrnet_plugin.data.skeleton import SIGMAS
from hrnet_plugin.engine.test_report.poses import PoseCollector

PATHS = {1: "images/1.png", 2: "images/2.png", 3: "images/3.png"}


def persons(annotations) -> dict[int, dict]:
    return {one["id"]: one for one in json.loads(annotations.read_text())["annotations"]}


def truth_of(person) -> np.ndarray:
    return np.array(person["keypoints"]).reshape(1, 17, 3)


def guesses(annotations, noise: float) -> dict[int, np.ndarray]:
    """A prediction a person, near the truth."""
    rng = np.random.default_rng(5)
    return {
        number: truth_of(person)[..., :2] + rng.normal(0, noise, (1, 17, 2))
        for number, person in persons(annotations).items()
    }


def metrics_after(collector, annotations, metainfo, samples, **options):
    """The metrics, after a test with these samples."""
    metric = CocoMetric(ann_file=str(annotations), **options)
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = metainfo
    collector.watch(evaluator, merged=False)
    for sample in samples:
        evaluator.process([sample.to_dict()], None)
        collector.add(sample)
    metrics = evaluator.evaluate(len(samples))
    collector.join([collector.state()])
    return metrics


@pytest.fixture
def by_annotated_boxes(annotations, metainfo, pose_sample):
    """A collector after a test with annotated boxes, and the metrics."""
    found = guesses(annotations, 4)
    samples = [
        pose_sample(
            found[number], np.full((1, 17), 0.6), truth_of(person), boxes=[[0, 0, 9, 9]], box_scores=[1.0], id=number,
            img_id=person["image_id"], img_path=PATHS[person["image_id"]], category_id=np.array(1),
        )
        for number, person in persons(annotations).items()
        if number in (11, 12, 21)
    ]  # fmt: skip
    collector = PoseCollector()
    return collector, metrics_after(collector, annotations, metainfo, samples)


@pytest.fixture
def by_detections(annotations, metainfo, pose_sample):
    """The same with detected boxes: numbered from 0, without truth, one on nobody and one on the unlabelled person."""
    found = list(guesses(annotations, 4).values())
    nobody = np.full((1, 17, 2), 500.0)
    rows = [(1, found[0], 0.9), (1, nobody, 0.5), (2, found[2], 0.8), (2, np.full((1, 17, 2), 70.0), 0.7)]
    samples = [
        pose_sample(
            pose, np.full((1, 17), 0.6), np.dstack([np.zeros((1, 17, 2)), np.ones((1, 17))]), boxes=[[0, 0, 9, 9]],
            box_scores=[score], id=number, img_id=image, img_path=PATHS[image], category_id=np.array(1),
        )
        for number, (image, pose, score) in enumerate(rows)
    ]  # fmt: skip
    collector = PoseCollector()
    return collector, metrics_after(collector, annotations, metainfo, samples)


def coco_similarities(collector) -> dict[tuple[int, int], float]:
    """COCO's own similarity of each prediction to each person, by the numbers of both; predictions by place."""
    metric = collector._coco._metric
    found = []
    for image, predicted in collector._coco.predicted.items():
        for pose, score in zip(predicted.poses, predicted.scores, strict=True):
            row = {"image_id": image, "category_id": 1, "keypoints": pose.astype(float).ravel().tolist()}
            found.append(row | {"score": float(score)})
    evaluation = COCOeval(metric.coco, metric.coco.loadRes(found), "keypoints", np.array(SIGMAS))
    evaluation.evaluate()
    return evaluation.ious


def test_similarities_are_those_of_the_evaluation(by_annotated_boxes, metainfo):
    collector, _ = by_annotated_boxes
    pictures = collector._all_pictures()
    pairs = pair_poses(pictures, metainfo["flip_indices"], SIGMAS, 17)
    theirs = coco_similarities(collector)
    assert len(pairs.oks) == 3
    for index, oks in enumerate(pairs.oks):
        picture = pictures[pairs.picture[index]]
        column = list(picture.names).index(picture.names[pairs.person[index]])
        image = 1 if picture.path == PATHS[1] else 2
        row = int(np.argsort(-picture.scores, kind="stable").tolist().index(pairs.prediction[index]))
        assert oks == pytest.approx(theirs[image, 1][row, column], abs=1e-6)


def test_annotated_boxes_say_whose_a_prediction_is(by_annotated_boxes, metainfo):
    collector, metrics = by_annotated_boxes
    findings = collector.findings(metainfo, metrics)
    result = findings.task
    assert (result.images, result.persons, result.predictions, result.unpaired) == (2, 3, 3, 0)
    assert "annotated box" in result.pairing
    assert result.oks + sum(result.lost.values()) == pytest.approx(1)
    assert {case.person for case in result.worst} | {case.person for case in result.best} <= {"11", "12", "21"}
    assert findings.data == "3 persons in 2 images"
    assert findings.missing == ["Pictures: 1.png, 2.png could not be read again."]


def test_the_table_of_sizes_has_the_metrics_of_the_evaluator(by_annotated_boxes, metainfo):
    collector, metrics = by_annotated_boxes
    rows = {row.name: row for row in collector.findings(metainfo, metrics).task.sizes}
    assert rows["all"].ap == metrics["coco/AP"] > 0
    assert rows["medium"].ap == metrics["coco/AP (M)"]
    assert rows["medium"].ar == metrics["coco/AR (M)"]
    assert rows["large"].ap is None  # nobody: COCO says -1
    assert [rows[name].persons for name in ("small", "medium", "large", "all")] == [0, 3, 0, 3]


def test_detections_are_joined_by_similarity(by_detections, metainfo):
    collector, metrics = by_detections
    result = collector.findings(metainfo, metrics).task
    assert "COCO's evaluation" in result.pairing
    assert (result.persons, result.predictions, result.unpaired) == (3, 4, 1)
    scores = result.scores[0]
    # The one on the unlabelled person is neither right nor wrong.
    assert (sum(scores.right), sum(scores.wrong)) == (2, 1)
    assert result.lost["no prediction"] == pytest.approx(1 / 3)
    assert result.oks + sum(result.lost.values()) == pytest.approx(1)


def test_a_test_without_truth_says_so(annotations, metainfo, pose_sample, tmp_path):
    collector = PoseCollector()
    sample = pose_sample(np.ones((1, 17, 2)), np.ones((1, 17)), boxes=[[0, 0, 9, 9]], box_scores=[1], id=1, img_id=1)
    options = {"format_only": True, "outfile_prefix": str(tmp_path / "out")}
    metrics = metrics_after(collector, annotations, metainfo, [sample], **options)
    findings = collector.findings(metainfo, metrics)
    assert findings.task is None
    assert "format_only" in findings.missing[0]


def test_areas_of_boxes_where_the_metric_uses_no_areas(annotations, metainfo, pose_sample):
    collector = PoseCollector()
    sample = pose_sample(
        guesses(annotations, 4)[11], np.ones((1, 17)), truth_of(persons(annotations)[11]), boxes=[[0, 0, 9, 9]],
        box_scores=[1], id=11, img_id=1, img_path=PATHS[1], category_id=1,
    )  # fmt: skip
    metrics = metrics_after(collector, annotations, metainfo, [sample], use_area=False)
    assert "0.53 of the boxes" in collector.findings(metainfo, metrics).task.measure
    areas = np.concatenate([picture.areas for picture in collector._all_pictures()])
    np.testing.assert_allclose(areas, 0.53 * 50 * 100)


@pytest.mark.parametrize(
    ("changes", "many"),
    [
        ({}, "persons"),
        ({"CLASSES": [{"id": 1, "name": "person"}]}, "persons"),
        ({"CLASSES": [{"id": 1, "name": "horse"}]}, "instances"),
        ({"keypoint_id2name": {index: f"thumb{index}" for index in range(17)}}, "instances"),
        ({"keypoint_id2name": {index: ("hip", "tail")[index % 2] for index in range(17)}}, "instances"),
    ],
)
def test_animals_and_hands_are_no_persons(by_annotated_boxes, metainfo, changes, many):
    collector, metrics = by_annotated_boxes
    findings = collector.findings({**metainfo, **changes}, metrics)
    assert findings.data == f"3 {many} in 2 images"
    assert findings.task.scores[0].of == many
    assert many.removesuffix("s") in findings.task.pairing


def test_keypoints_of_another_number_than_the_metainfo_are_told(by_annotated_boxes, metainfo):
    collector, metrics = by_annotated_boxes
    fewer = {**metainfo, "keypoint_id2name": {0: "nose"}}
    assert collector.findings(fewer, metrics).missing == [
        "Poses: 17 keypoints are compared, and the metainfo is of other ones."
    ]


def test_without_sigmas_one_stands_for_all_and_is_told(by_annotated_boxes, metainfo):
    collector, metrics = by_annotated_boxes
    result = collector.findings({**metainfo, "sigmas": []}, metrics).task
    assert "states no sigmas" in result.measure
    assert 0 < result.oks < 1
