"""Similarities equal those of COCO's own evaluation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hrnet_plugin.analysis.oks import best_oks, oks
from hrnet_plugin.data.skeleton import SIGMAS


def person() -> np.ndarray:
    truth = np.zeros((17, 3))
    truth[:, 0], truth[:, 1], truth[:, 2] = np.arange(17) * 3, np.arange(17) * 5, 2
    return truth


def test_values():
    truth = person()
    assert oks(truth, truth, 900.0) == 1.0
    moved = truth.copy()
    moved[0, 0] += 2 * SIGMAS[0] * 30
    # One keypoint off by its own tolerance loses 1 - exp(-1/2) of a seventeenth.
    assert oks(moved, truth, 900.0) == pytest.approx(1 - (1 - math.exp(-0.5)) / 17, abs=1e-6)


def test_unlabelled_keypoints_do_not_count():
    truth = person()
    truth[3, 2] = 0
    moved = truth.copy()
    moved[3, :2] += 500
    assert oks(moved, truth, 900.0) == 1.0
    truth[:, 2] = 0
    assert math.isnan(oks(moved, truth, 900.0))


def test_agrees_with_the_coco_evaluation():
    from xtcocotools.coco import COCO
    from xtcocotools.cocoeval import COCOeval

    truth = person()
    guess = truth + np.random.default_rng(0).normal(0, 3, truth.shape)
    flat = truth.ravel().tolist()
    files = []
    for keypoints, extra in ((flat, {}), (guess.ravel().tolist(), {"score": 1.0})):
        coco = COCO()
        row = {"id": 1, "image_id": 1, "category_id": 1, "area": 640.0, "bbox": [0, 0, 50, 85], "iscrowd": 0,
               "num_keypoints": 17, "keypoints": keypoints} | extra  # fmt: skip
        coco.dataset = {"images": [{"id": 1}], "annotations": [row], "categories": [{"id": 1}]}
        coco.createIndex()
        files.append(coco)
    evaluation = COCOeval(*files, "keypoints", np.array(SIGMAS))
    evaluation.evaluate()
    assert oks(guess, truth, 640.0) == pytest.approx(float(evaluation.ious[(1, 1)][0, 0]), abs=1e-9)


def test_best_oks():
    truth = np.stack((person(), person() + np.array((200, 0, 0))))
    found = best_oks(truth[::-1, :, :2], truth, np.array((900.0, 900.0)))
    assert found == [1.0, 1.0]
    assert best_oks(np.zeros((0, 17, 2)), truth, np.array((900.0, 900.0))) == [0.0, 0.0]
