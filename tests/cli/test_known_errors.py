"""What other processes do to a run, told in one line."""

from __future__ import annotations

import pytest

from hrnet_plugin.cli import preflight
from hrnet_plugin.cli.known_errors import explain
from hrnet_plugin.errors import ConfigError, DataError, LostProcess

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


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Broken pipe"),
        BrokenPipeError(32, "Broken pipe"),
        ConnectionResetError(104, "Connection reset by peer"),
        OSError(98, "Address already in use"),
    ],
)
def test_a_single_process_has_lost_nobody(error, monkeypatch):
    for name in ("WORLD_SIZE", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert explain(error, {}) is None


def test_a_pipe_of_a_process_itself_is_no_other_process(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert explain(BrokenPipeError(32, "Broken pipe"), {}) is None


def test_other_errors_keep_their_trace(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert explain(RuntimeError("a defect"), {}) is None


@pytest.fixture
def full():
    """What a write to a full disk raises."""
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "wb", buffering=0) as file:
        file.write(b"a")
    return caught.value


def test_a_full_disk(full):
    told = str(explain(full, {}))
    assert told.startswith("writing to the disk: found 'No space left on device', expected room. Make room; ")
    assert "--resume" in told
    full.filename = "work/20260101/run.log"
    assert str(explain(full, {})).startswith("writing work/20260101/run.log: found ")
    assert explain(OSError(5, "Input/output error"), {}) is None


def test_a_disk_that_is_full_before_a_run(monkeypatch, tmp_path):
    told = r"work dir .*found No space left on device, .*Make room, or name another"
    with open("/dev/full", "wb") as file:
        monkeypatch.setattr(preflight.tempfile, "TemporaryFile", lambda **_: file)
        with pytest.raises(ConfigError, match=told):
            preflight.check_writable(tmp_path, "work dir")
