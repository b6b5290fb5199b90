"""The most memory from a moment on."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from hrnet_plugin.bench.memory import allocated_during, size_of

_SIZE = 2**26
_IN_A_FRESH_PROCESS = """
import numpy as np
from hrnet_plugin.bench.memory import forget_peak, peak
forget_peak()
before = peak()
np.ones({size}, dtype=np.uint8).sum()
grown = peak()
forget_peak()
print(before, grown, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be forgotten on Linux alone")
def test_the_peak_counts_from_the_moment_on():
    """In a process of its own: this one holds freed memory that an array may take without growing."""
    command = [sys.executable, "-c", _IN_A_FRESH_PROCESS.format(size=_SIZE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    before, grown, after = map(int, done.stdout.split())
    assert before > 2**20
    assert grown > before + _SIZE / 2
    assert after < grown - _SIZE / 2


def test_what_tensors_take_during_a_call():
    kept = []

    def call():
        first = torch.empty(2**20, dtype=torch.uint8)
        second = torch.empty(2**21, dtype=torch.uint8)
        del first
        kept.append(torch.empty(2**19, dtype=torch.uint8))
        del second

    assert allocated_during(call) == 2**20 + 2**21
    assert allocated_during(lambda: None) == 0


def test_shared_memory_counts_once():
    whole = torch.zeros(10, 4)
    assert size_of([whole, whole[2:], torch.zeros(3)]) == 160 + 12
