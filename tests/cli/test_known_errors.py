"""What other processes do to a run, told in one line."""

from __future__ import annotations

import pytest

from hrnet_plugin.cli.known_errors import explain
from hrnet_plugin.errors import DataError, LostProcess

KILLED = "DataLoader worker (pid 4711) is killed by signal: Killed. "
GLOO = "[/gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 120000ms for recv operation to complete"


@pytest.mark.parametrize(
    ("message", "found", "do"),
    [
        (KILLED, "ended by the signal Killed", "out of memory"),
        ("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible", "Bus error", "/dev/shm"),
        ("DataLoader worker (pid(s) 7, 8) exited unexpectedly", "exited unexpectedly", "num_workers"),
    ],
)
def test_a_process_that_loads_data(message, found, do):
    told = explain(RuntimeError(message), {})
    assert isinstance(told, DataError)
    for part in (found, do, "--resume"):
        assert part in str(told)


@pytest.mark.parametrize("message", [GLOO, "Connection closed by peer [10.0.0.2]:4711", "Broken pipe"])
def test_a_process_of_the_same_run(message, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert isinstance(explain(RuntimeError(message), {}), LostProcess)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert explain(RuntimeError(message), {}) is None


def test_other_errors_keep_their_trace(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert explain(RuntimeError("a defect"), {}) is None
