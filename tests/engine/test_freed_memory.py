"""Freed memory is kept, or handed back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hrnet_plugin.engine import FreedMemoryHook, freed_memory
from hrnet_plugin.errors import ConfigError

_IN_A_FRESH_PROCESS = """
import torch
from hrnet_plugin.bench.memory import forget_peak, peak
from hrnet_plugin.engine.freed_memory import treat_freed_memory

def held_after_a_step():
    blocks = [torch.ones(2**24) for _ in range(4)]
    del blocks
    forget_peak()
    return peak()

before = peak()
assert treat_freed_memory("usual")
given_back = held_after_a_step()
assert treat_freed_memory("keep")
kept = held_after_a_step()
print(before, given_back, kept)
"""


@pytest.mark.skipif(freed_memory._glibc() is None, reason="glibc alone is asked to keep memory")
def test_freed_memory_goes_or_stays():
    command = [sys.executable, "-c", _IN_A_FRESH_PROCESS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    before, given_back, kept = (int(number) >> 20 for number in done.stdout.split())
    assert given_back < before + 64  # of 256 MiB
    assert kept > given_back + 192


@pytest.mark.parametrize("how", ["keep", "return"])
def test_the_hook_speaks_for_a_training(how, monkeypatch):
    asked = []
    monkeypatch.setattr(freed_memory, "treat_freed_memory", asked.append)
    hook = FreedMemoryHook(how)
    hook.before_train(None)
    hook.after_train(None)
    assert asked == [how, "usual"]


def test_another_word_is_refused():
    with pytest.raises(
        ConfigError, match=r"FreedMemoryHook: found how='hoard', expected 'usual' or 'keep' or 'return'"
    ):
        FreedMemoryHook("hoard")
    with pytest.raises(ConfigError, match=r"freed memory: found 'hoard', expected usual or keep or return"):
        freed_memory.treat_freed_memory("hoard")


def test_elsewhere_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(freed_memory.sys, "platform", "darwin")
    freed_memory._glibc.cache_clear()
    try:
        assert freed_memory.treat_freed_memory("keep") is False
    finally:
        freed_memory._glibc.cache_clear()
