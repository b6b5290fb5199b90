"""Freed memory is kept, or handed back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hrnet_plugin.engine import KeepMemoryHook, freed_memory

_IN_A_FRESH_PROCESS = """
import torch
from hrnet_plugin.bench.memory import forget_peak, peak
from hrnet_plugin.engine.freed_memory import keep_freed_memory

def held_after_a_step():
    blocks = [torch.ones(2**24) for _ in range(4)]
    del blocks
    forget_peak()
    return peak()

before = peak()
assert keep_freed_memory(False)
given_back = held_after_a_step()
assert keep_freed_memory()
print(before, given_back, held_after_a_step())
"""


@pytest.mark.skipif(freed_memory._glibc() is None, reason="glibc alone is asked to keep memory")
def test_freed_memory_goes_or_stays():
    command = [sys.executable, "-c", _IN_A_FRESH_PROCESS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    before, given_back, kept = (int(number) >> 20 for number in done.stdout.split())
    assert given_back < before + 64  # of 256 MiB
    assert kept > given_back + 192


def test_the_hook_keeps_memory_for_a_training(monkeypatch):
    asked = []
    monkeypatch.setattr(freed_memory, "keep_freed_memory", lambda keep=True: asked.append(keep))
    hook = KeepMemoryHook()
    hook.before_train(None)
    hook.after_train(None)
    assert asked == [True, False]


def test_elsewhere_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(freed_memory.sys, "platform", "darwin")
    freed_memory._glibc.cache_clear()
    try:
        assert freed_memory.keep_freed_memory() is False
    finally:
        freed_memory._glibc.cache_clear()
