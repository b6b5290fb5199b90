"""The most memory from a moment on."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from hrnet_plugin.bench.memory import forget_peak, held_now, peak

_SIZE = 2**26


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be forgotten on Linux alone")
def test_the_peak_counts_from_the_moment_on():
    forget_peak()
    before = peak()
    assert 0 < held_now() <= before * 1.1
    np.ones(_SIZE, dtype=np.uint8).sum()
    grown = peak()
    assert grown > before + _SIZE / 2
    forget_peak()
    assert peak() < grown - _SIZE / 2
