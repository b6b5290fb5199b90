"""Poses of samples: tables of keypoints add up to the metrics that mmpose measures."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from mmengine.evaluator import Evaluator
from mmpose.evaluation.metrics import AUC, EPE, NME, MpiiPCKAccuracy, PCKAccuracy

from hrnet_plugin.engine.test_report.poses import PoseCollector
from hrnet_plugin.engine.test_report.sample_poses import by_image, picture_of

PERSONS = 7


@pytest.fixture
def samples(pose_sample) -> list:
    """Seven persons on three images, each keypoint labelled in some; the last two errors are large."""
    rng = np.random.default_rng(11)
    made = []
    for number in range(PERSONS):
        truth = np.concatenate([rng.uniform(10, 90, (1, 17, 2)), rng.integers(0, 2, (1, 17, 1))], 2)
        truth[0, :2, 2] = 1
        poses = truth[..., :2] + rng.normal(0, 3 + 5 * number, (1, 17, 2))
        made.append(
            pose_sample(
                poses, rng.uniform(0.2, 1, (1, 17)), truth, boxes=[[5, 5, 95, 85 + number]], box_scores=[1.0],
                head_size=[20 + number], id=number, img_id=number % 3, img_path=f"images/{number % 3}.png",
            )
        )  # fmt: skip
    return made


def tables(samples, metainfo, *metrics):
    """The figures of a test with these metrics, and what they measured."""
    evaluator = Evaluator(list(metrics))
    evaluator.dataset_meta = metainfo
    collector = PoseCollector()
    collector.watch(evaluator, merged=False)
    for sample in samples:
        evaluator.process([sample.to_dict()], None)
        collector.add(sample)
    measured = evaluator.evaluate(len(samples))
    collector.join([collector.state()])
    return collector.findings(metainfo, measured).task, measured


@pytest.mark.parametrize("threshold", [0.05, 0.2])
def test_pck_of_keypoints_is_that_of_the_metric(samples, metainfo, threshold):
    result, measured = tables(samples, metainfo, AUC(), EPE(), PCKAccuracy(thr=threshold))
    assert (result.scale, result.threshold) == ("box size", threshold)
    assert np.mean([row.pck for row in result.keypoints]) == pytest.approx(measured["PCK"])
    assert 0 < measured["PCK"] < 1


def test_pck_of_mpii_counts_from_one_and_by_heads(samples, metainfo):
    from mmpose.evaluation.functional import keypoint_pck_accuracy

    result, _ = tables(samples, metainfo, PCKAccuracy(thr=0.5, norm_item="head"))
    shifted, _ = tables(samples, {**metainfo, "num_keypoints": 16}, MpiiOfSeventeen(thr=0.5))
    assert result.scale == shifted.scale == "head size"
    found = np.concatenate([sample.pred_instances.keypoints for sample in samples])
    truth = np.concatenate([sample.gt_instances.keypoints for sample in samples])
    mask = np.concatenate([sample.gt_instances.keypoints_visible for sample in samples]) > 0
    sizes = np.tile(np.arange(PERSONS)[:, None] + 20.0, 2)
    theirs, _, _ = keypoint_pck_accuracy(found + 1, truth, mask, 0.5, sizes)
    np.testing.assert_allclose([row.pck for row in shifted.keypoints], theirs, atol=1e-12)


class MpiiOfSeventeen(MpiiPCKAccuracy):
    """The metric of MPII, whose summary is written for 16 keypoints."""

    def compute_metrics(self, results):
        return {}


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({"norm_mode": "use_norm_item", "norm_item": "bbox_size"}, "box size"),
        ({"norm_mode": "keypoint_distance", "keypoint_indices": (0, 1)}, "distance of keypoints 0 and 1"),
    ],
)
def test_errors_of_keypoints_add_up_to_nme(samples, metainfo, options, scale):
    result, measured = tables(samples, metainfo, NME(**options))
    assert result.scale == scale
    total = sum(row.error * row.labelled for row in result.keypoints) / sum(row.labelled for row in result.keypoints)
    assert total == pytest.approx(measured["NME"], rel=1e-5)
    assert all(row.pck is None for row in result.keypoints)


def test_persons_of_an_image_come_together(samples):
    pictures = by_image([picture_of(sample, None) for sample in samples])
    assert [len(picture.truth) for picture in pictures] == [3, 2, 2]
    np.testing.assert_array_equal(pictures[0].own, [0, 1, 2])
    assert pictures[0].names == ["0", "3", "6"]
    np.testing.assert_allclose(pictures[0].predicted[1, :, :2], samples[3].pred_instances.keypoints[0])


def test_areas_are_annotated_or_a_share_of_the_box(pose_sample):
    truth = np.full((1, 17, 3), 5.0)
    plain = pose_sample(truth[..., :2], np.ones((1, 17)), truth, boxes=[[0, 0, 10, 20]])
    told = pose_sample(truth[..., :2], np.ones((1, 17)), truth, boxes=[[0, 0, 10, 20]], raw_ann_info={"area": 77})
    assert picture_of(plain, None).areas == pytest.approx([0.53 * 200])
    assert picture_of(told, None).areas == [77]


def test_samples_without_truth_are_left_out_and_told(pose_sample, metainfo):
    sample = pose_sample(np.ones((1, 17, 2)), np.ones((1, 17)), boxes=[[0, 0, 10, 20]])
    collector = PoseCollector()
    collector.watch(Evaluator([EPE()]), merged=False)
    collector.add(sample)
    collector.join([collector.state()])
    assert collector.findings(metainfo, {}).missing == [
        "Poses: the samples hold no true keypoints, and the evaluator no annotations."
    ]


def test_ranks_are_joined_to_the_same_figures(samples, metainfo):
    whole, parts = PoseCollector(), [PoseCollector(), PoseCollector()]
    for collector in (whole, *parts):
        collector.watch(Evaluator([PCKAccuracy()]), merged=False)
    for number, sample in enumerate(samples):
        whole.add(sample)
        parts[number % 2].add(sample)
    states = [collector.state() for collector in parts]
    parts[0].join(states)
    whole.join([whole.state()])
    one, other = (collector.findings(metainfo, {}).task for collector in (whole, parts[0]))
    assert one.oks == pytest.approx(other.oks)
    np.testing.assert_equal(list(map(asdict, one.sizes)), list(map(asdict, other.sizes)))
    for first, second in zip(one.keypoints, other.keypoints, strict=True):
        assert (first.labelled, first.pck) == (second.labelled, pytest.approx(second.pck))
