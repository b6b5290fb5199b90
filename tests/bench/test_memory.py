"""The most memory from a moment on."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SIZE = 2**26
_IN_A_FRESH_PROCESS = """
import numpy as np
from hrnet_plugin.bench.memory import forget_peak, held_now, peak
forget_peak()
before, held = peak(), held_now()
np.ones({size}, dtype=np.uint8).sum()
grown = peak()
forget_peak()
print(held, before, grown, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be forgotten on Linux alone")
def test_the_peak_counts_from_the_moment_on():
    """In a process of its own: this one holds freed memory that an array may take without growing."""
    command = [sys.executable, "-c", _IN_A_FRESH_PROCESS.format(size=_SIZE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    held, before, grown, after = map(int, done.stdout.split())
    assert 0 < held <= before * 1.1
    assert grown > before + _SIZE / 2
    assert after < grown - _SIZE / 2
