"""Ratios of medians, their intervals, and the slope of growth."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.bench.statistics import Interval, growth_exponent, median_time, over_processes, speed_up


def test_each_process_gives_one_ratio_of_medians():
    found = speed_up([[1, 1, 9], [2, 2, 2], [1, 1, 1]], [[3, 3, 3], [4, 4, 50], [5, 5, 5]])
    assert found == Interval(3, 2, 5)


def test_an_outlier_of_one_turn_changes_nothing():
    assert median_time([[1.0, 1.0, 60.0], [1.0, 1.0, 1.0]]) == Interval(1, 1, 1)


def test_one_process_has_an_interval_of_its_turns():
    rng = np.random.default_rng(3)
    own, other = rng.normal(1, 0.1, 50), rng.normal(2, 0.1, 50)
    found = speed_up([own], [other])
    assert found.low < found.median < found.high
    assert found.low == pytest.approx(2, abs=0.15)
    assert found.high == pytest.approx(2, abs=0.15)
    assert found == speed_up([own], [other])


def test_one_turn_has_no_width():
    assert median_time([[0.5]]) == Interval(0.5, 0.5, 0.5)


def test_a_limit_has_one_number_a_process():
    found = over_processes([[2.0, 2.0, 2.0]], lambda own, least: least[0] / np.median(own), [[1.5]])
    assert found == Interval(0.75, 0.75, 0.75)


@pytest.mark.parametrize("times", [[], [[]], [[1.0], []]])
def test_no_turns_are_an_error(times):
    with pytest.raises(ValueError, match="turns"):
        median_time(times)


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.3])
def test_growth_exponent(exponent):
    amounts = [100, 200, 400, 1000]
    assert growth_exponent(amounts, [3 * amount**exponent for amount in amounts]) == pytest.approx(exponent)


def test_growth_needs_two_sizes():
    with pytest.raises(ValueError, match="two points"):
        growth_exponent([5, 5], [1, 2])
