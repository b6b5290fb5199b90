"""Scores that say how often they are right have no error; others have the one that was planted."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.analysis.reliability import Reliability


def test_scores_that_are_true_have_no_error():
    scores = np.repeat(np.arange(10) / 10 + 0.05, 100)
    right = np.tile(np.arange(100) + 0.5, 10) < scores * 100
    found = Reliability.of(scores, right)
    assert found.error() == pytest.approx(0, abs=1e-12)
    assert found.bias() == pytest.approx(0, abs=1e-12)
    np.testing.assert_array_equal(found.counts, 100)


def test_too_much_promised():
    found = Reliability.of(np.full(10, 0.9), np.arange(10) < 6)
    assert found.error() == pytest.approx(0.3)
    assert found.bias() == pytest.approx(0.3)
    assert (found.right[9], found.wrong[9]) == (6, 4)
    assert np.isnan(found.rate[:9]).all()


def test_parts_add_up():
    rng = np.random.default_rng(0)
    scores, right = rng.uniform(-0.2, 1.2, 50), rng.random(50) < 0.5
    parts = Reliability.of(scores[:20], right[:20]) + Reliability.of(scores[20:], right[20:])
    whole = Reliability.of(scores, right)
    np.testing.assert_array_equal(parts.right, whole.right)
    assert parts.error() == pytest.approx(whole.error())
    assert whole.counts.sum() == 50


def test_nothing_has_no_error():
    assert np.isnan(Reliability.of(np.zeros(0), np.zeros(0, bool)).error())
