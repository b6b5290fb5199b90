"""Figures of a confusion table against mmseg's own, from pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrnet_plugin.analysis.confusion import Confusion


def test_figures_equal_those_of_mmseg():
    from mmseg.evaluation import IoUMetric

    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 4, 500), rng.integers(0, 3, 500)  # class 3 is never predicted
    areas = IoUMetric.intersect_and_union(torch.from_numpy(guess), torch.from_numpy(truth), 4, 255)
    theirs = IoUMetric.total_area_to_metrics(*areas, metrics=["mIoU", "mFscore"])
    ours = Confusion.of(truth[:200], guess[:200], 4) + Confusion.of(truth[200:], guess[200:], 4)
    np.testing.assert_allclose(ours.iou(), theirs["IoU"], rtol=1e-6)
    np.testing.assert_allclose(ours.accuracy(), theirs["Acc"], rtol=1e-6)
    np.testing.assert_allclose(ours.precision(), theirs["Precision"], rtol=1e-6)
    assert np.isnan(ours.precision()[3])


def test_other_classes_count_as_wrong_and_stand_nowhere():
    ours = Confusion(np.array([[6, 1, 1], [0, 4, 0], [2, 0, 3]]))
    np.testing.assert_allclose(ours.accuracy(), [6 / 8, 1])
    np.testing.assert_allclose(ours.iou(), [6 / 10, 4 / 5])
    np.testing.assert_allclose(ours.rows(), [[6 / 8, 1 / 8], [0, 1]])


def test_indices_beyond_the_classes_are_of_another_one():
    table = Confusion.of(np.array([0, 1, 7, -1], np.int32), np.array([0, 9, 1, 0], np.uint8), 2).table
    assert table.tolist() == [[1, 0, 0], [0, 0, 1], [1, 1, 0]]


def test_largest_confusions_come_first():
    ours = Confusion(np.array([[9, 2, 0, 0], [5, 9, 1, 0], [0, 0, 9, 0], [7, 7, 7, 7]]))
    assert ours.largest(2) == [(1, 0, 5), (0, 1, 2)]
    assert ours.largest(9) == [(1, 0, 5), (0, 1, 2), (1, 2, 1)]


@pytest.mark.filterwarnings("error")
def test_classes_that_are_not_there_are_nan_without_a_warning():
    ours = Confusion(np.zeros((3, 3), np.int64))
    for values in (ours.iou(), ours.accuracy(), ours.precision(), ours.rows()):
        assert np.isnan(values).all()
