"""Predictions and persons are paired as COCO's own evaluation pairs them."""

from __future__ import annotations

import numpy as np
import pytest
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from hrnet_plugin.analysis.oks import oks_table, unlabelled_oks
from hrnet_plugin.analysis.pose_matching import MOST, match_poses
from hrnet_plugin.data.skeleton import SIGMAS


def crowded(seed: int, persons: int = 6, predictions: int = 25) -> tuple[np.ndarray, ...]:
    """A picture with persons that overlap, some without labels, one a crowd; predictions near them and elsewhere."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((persons, 17, 3))
    truth[..., :2] = rng.uniform(0, 120, (persons, 1, 2)) + rng.uniform(0, 60, (persons, 17, 2))
    truth[..., 2] = rng.integers(0, 3, (persons, 17))
    truth[1, :, 2] = 0
    boxes = np.concatenate([truth[..., :2].min(1), np.ptp(truth[..., :2], 1)], 1)
    crowds = np.arange(persons) == 2
    noise = rng.normal(0, 1, (predictions, 17, 2)) * rng.uniform(0.5, 6, (predictions, 1, 1))
    guesses = truth[rng.integers(0, persons, predictions), :, :2] + noise
    return truth, boxes, crowds, guesses, rng.uniform(0.1, 1, predictions)


def evaluation(truth, boxes, crowds, guesses, scores) -> COCOeval:
    """COCO's, of the one picture."""
    coco = COCO()
    rows = [
        {"id": index + 1, "image_id": 1, "category_id": 1, "area": float(box[2:].prod() / 2), "bbox": box.tolist(),
         "iscrowd": int(crowd), "num_keypoints": int((person[:, 2] > 0).sum()), "keypoints": person.ravel().tolist()}
        for index, (person, box, crowd) in enumerate(zip(truth, boxes, crowds, strict=True))
    ]  # fmt: skip
    coco.dataset = {"images": [{"id": 1}], "annotations": rows, "categories": [{"id": 1}], "info": {}}
    coco.createIndex()
    poses = np.concatenate([guesses, np.ones((len(guesses), 17, 1))], 2).reshape(-1, 51).tolist()
    found = coco.loadRes(
        [
            {"image_id": 1, "category_id": 1, "score": float(score), "keypoints": pose}
            for pose, score in zip(poses, scores, strict=True)
        ]
    )
    result = COCOeval(coco, found, "keypoints", np.array(SIGMAS))
    result.params.areaRng = [[0, 1e10]]
    result.evaluate()
    return result


@pytest.mark.parametrize("seed", range(6))
def test_similarities_and_pairs_are_those_of_the_coco_evaluation(seed):
    truth, boxes, crowds, guesses, scores = crowded(seed)
    theirs = evaluation(truth, boxes, crowds, guesses, scores)
    areas = boxes[:, 2:].prod(1) / 2
    labelled = (truth[..., 2] > 0).any(1)
    table = np.where(labelled, oks_table(guesses, truth, areas), unlabelled_oks(guesses, boxes, areas))
    order = np.argsort(-scores, kind="stable")[:MOST]
    np.testing.assert_allclose(table[order], theirs.ious[1, 1], rtol=0, atol=1e-12)
    (image,) = theirs.evalImgs
    pairs = 0
    for row, threshold in enumerate(theirs.params.iouThrs):
        ours = match_poses(table, scores, threshold, labelled & ~crowds, crowds)
        expected = np.where(image["dtIgnore"][row], -1, image["dtMatches"][row] - 1).clip(-1)
        np.testing.assert_array_equal(ours.person[order], expected)
        np.testing.assert_array_equal(ours.ignored[order], image["dtIgnore"][row])
        pairs += (ours.person >= 0).sum()
    assert pairs > 5


def test_more_than_twenty_predictions_are_neither_right_nor_wrong():
    matches = match_poses(np.full((23, 1), 0.2), np.arange(23.0), 0.5, np.ones(1, bool))
    np.testing.assert_array_equal(np.flatnonzero(matches.ignored), [0, 1, 2])
    assert (matches.person == -1).all()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_pictures_without_persons_or_predictions(shape):
    matches = match_poses(np.zeros(shape), np.zeros(shape[0]), 0.5, np.ones(shape[1], bool))
    assert (matches.person == -1).all()
    assert not matches.ignored.any()
    assert len(matches.person) == shape[0]
