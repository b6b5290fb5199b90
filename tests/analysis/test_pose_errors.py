"""Each kind of error is planted, and found under its name."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.analysis.oks import oks
from hrnet_plugin.analysis.pose_errors import GOOD, INVERSION, JITTER, KINDS, MISS, SWAP, keypoint_errors
from hrnet_plugin.data.skeleton import FLIP_PAIRS, INDEX, SIGMAS

MIRROR = np.arange(17)
for left, right in FLIP_PAIRS:
    MIRROR[left], MIRROR[right] = right, left
WRIST, OTHER_WRIST, NOSE = INDEX["left_wrist"], INDEX["right_wrist"], INDEX["nose"]
AREA = 10000.0


@pytest.fixture
def truth() -> np.ndarray:
    """Two persons, all keypoints 40 pixels and more apart."""
    places = np.stack(np.meshgrid(np.arange(6) * 60.0, np.arange(6) * 60.0), -1).reshape(-1, 2)[:34]
    return np.concatenate([places, np.full((34, 1), 2.0)], 1).reshape(2, 17, 3)


def kinds_of(pose: np.ndarray, truth: np.ndarray, person: int = 0) -> list[int]:
    return keypoint_errors(pose, person, truth, np.array([AREA, AREA]), MIRROR, SIGMAS)[1].tolist()


def away(similarity: float, keypoint: int) -> float:
    """How far from its true place a keypoint has a similarity, in pixels."""
    return float(np.sqrt(-np.log(similarity) * 2 * AREA) * 2 * SIGMAS[keypoint])


def test_the_truth_itself_is_good(truth):
    assert kinds_of(truth[0], truth) == [GOOD] * 17


@pytest.mark.parametrize(
    ("similarity", "kind"), [(0.9, GOOD), (0.851, GOOD), (0.849, JITTER), (0.501, JITTER), (0.499, MISS), (1e-9, MISS)]
)
def test_the_limits_are_those_of_the_paper(truth, similarity, kind):
    pose = truth[0].copy()
    pose[WRIST, 0] += away(similarity, WRIST)
    found, kinds = keypoint_errors(pose, 0, truth[:1], np.array([AREA]), MIRROR, SIGMAS)
    assert found[WRIST] == pytest.approx(similarity)
    assert KINDS[kinds[WRIST]] == KINDS[kind]


def test_left_for_right_is_an_inversion(truth):
    pose = truth[0].copy()
    pose[[WRIST, OTHER_WRIST]] = pose[[OTHER_WRIST, WRIST]]
    kinds = kinds_of(pose, truth)
    assert [kinds[index] for index in (WRIST, OTHER_WRIST)] == [INVERSION] * 2
    assert sorted(kinds)[:15] == [GOOD] * 15


def test_keypoints_of_another_person_are_swaps_on_either_side(truth):
    pose = truth[0].copy()
    pose[WRIST], pose[NOSE] = truth[1, OTHER_WRIST], truth[1, NOSE]
    kinds = kinds_of(pose, truth)
    assert kinds[WRIST] == kinds[NOSE] == SWAP
    assert kinds_of(pose, truth[:1])[WRIST] == MISS  # nobody else there


def test_another_keypoint_of_the_same_person_is_a_miss(truth):
    pose = truth[0].copy()
    pose[WRIST] = truth[0, INDEX["left_knee"]]
    assert kinds_of(pose, truth)[WRIST] == MISS


def test_the_most_similar_place_names_the_error(truth):
    """Both wrists close together: near the true one, nearer to the other."""
    truth[0, OTHER_WRIST, :2] = truth[0, WRIST, :2] + (away(0.6, WRIST), 0)
    pose = truth[0].copy()
    pose[WRIST] = truth[0, OTHER_WRIST]
    assert kinds_of(pose, truth)[WRIST] == INVERSION


def test_unlabelled_keypoints_have_no_error(truth):
    truth[0, [WRIST, NOSE], 2] = 0
    pose = truth[0] + (300, 0, 0)
    found, kinds = keypoint_errors(pose, 0, truth, np.array([AREA, AREA]), MIRROR, SIGMAS)
    assert set(np.flatnonzero(kinds < 0)) == {WRIST, NOSE} == set(np.flatnonzero(np.isnan(found)))
    assert np.nanmean(found) == pytest.approx(oks(pose, truth[0], AREA))
