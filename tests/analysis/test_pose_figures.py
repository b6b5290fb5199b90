"""Pairs of predictions and persons, and what each error costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrnet_plugin.analysis.oks import oks
from hrnet_plugin.analysis.pose_errors import INVERSION, SWAP
from hrnet_plugin.analysis.pose_figures import PosePicture, pair_poses
from hrnet_plugin.data.skeleton import FLIP_PAIRS, SIGMAS

MIRROR = np.arange(17)
for first, second in FLIP_PAIRS:
    MIRROR[first], MIRROR[second] = second, first


@pytest.fixture
def picture() -> PosePicture:
    """Two persons, one of them predicted for the other, and a person without labels between them."""
    rng = np.random.default_rng(0)
    truth = np.concatenate(
        [rng.uniform(0, 60, (3, 17, 2)) + np.arange(3)[:, None, None] * 80, np.full((3, 17, 1), 2)], 2
    )
    truth[1, :, 2] = 0
    predicted = truth[[2, 2]] + rng.normal(0, 1.5, (2, 17, 3))
    boxes = np.concatenate([truth[..., :2].min(1), np.ptp(truth[..., :2], 1)], 1)
    return PosePicture(
        "a.png", predicted, np.array([0.9, 0.8]), truth, boxes[:, 2:].prod(1), boxes, np.zeros(3, bool),
        ["1", "2", "3"], own=np.array([0, 2]),
    )  # fmt: skip


def pairs_of(*pictures):
    return pair_poses(pictures, MIRROR, SIGMAS, 17)


def test_known_pairs_are_kept_however_wrong(picture):
    pairs = pairs_of(picture)
    assert pairs.person.tolist() == [0, 2]
    assert pairs.oks[0] < 0.05 < 0.8 < pairs.oks[1]
    assert (pairs.kinds[0] == SWAP).mean() > 0.8
    assert pairs.right.tolist() == [False, True]
    for index in range(2):
        person = picture.truth[pairs.person[index]]
        area = picture.areas[pairs.person[index]]
        assert pairs.oks[index] == pytest.approx(oks(picture.predicted[index], person, area))


def test_unknown_pairs_are_found_by_similarity(picture):
    pairs = pairs_of(replace(picture, own=None))
    assert (pairs.prediction.tolist(), pairs.person.tolist()) == ([0], [2])
    assert len(pairs.areas) == 2  # the unlabelled person does not count
    assert sorted(pairs.person_oks.tolist())[0] == 0
    assert pairs.lost()["no prediction"] == 0.5


@pytest.mark.parametrize("known", [True, False])
def test_losses_add_up(picture, known):
    pairs = pairs_of(picture if known else replace(picture, own=None))
    assert pairs.person_oks.mean() + sum(pairs.lost().values()) == pytest.approx(1)


def test_a_planted_inversion_costs_what_it_costs(picture):
    predicted = picture.truth[[0, 2]].copy()
    predicted[0, [9, 10]] = predicted[0, [10, 9]]
    pairs = pairs_of(replace(picture, predicted=predicted))
    assert (pairs.kinds == INVERSION).sum() == 2
    lost = pairs.lost()
    assert lost["inversion"] == pytest.approx(1 - pairs.person_oks.mean())
    assert sum(lost.values()) == pytest.approx(lost["inversion"])


def test_predictions_for_persons_that_do_not_count_are_not_judged(picture):
    pairs = pairs_of(replace(picture, own=np.array([1, -1])))
    assert len(pairs.oks) == len(pairs.right) == 0
    assert pairs.lost()["no prediction"] == 1


def test_errors_are_scaled_as_told(picture):
    pairs = pairs_of(replace(picture, scales=np.array([10.0, 20.0, 40.0])))
    assert pairs.scales.tolist() == [10, 40]
    assert pairs_of(picture).scales == pytest.approx(np.sqrt(picture.areas[[0, 2]]))


def test_nothing_at_all():
    nobody = PosePicture(
        "b.png", np.zeros((0, 17, 3)), np.zeros(0), np.zeros((0, 17, 3)), np.zeros(0), np.zeros((0, 4)),
        np.zeros(0, bool), [],
    )  # fmt: skip
    pairs = pairs_of(nobody)
    assert pairs.kinds.shape == pairs.similarity.shape == (0, 17)
    assert sum(pairs.lost().values()) == 0
    assert pairs_of().kinds.shape == (0, 17)
