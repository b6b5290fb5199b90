"""One training a folder, and none that keeps another out once it has ended."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hrnet_plugin.checkpoints.newest import when_saved
from hrnet_plugin.engine.saving import folder, folder_lock
from hrnet_plugin.engine.saving.folder_lock import NAME, hold, let_go
from hrnet_plugin.errors import ConfigError

HOLDS = """
import fcntl, os, sys, time
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print(f"process {os.getpid()} on node3", file=file, flush=True)
if os.fork():
    print("holds", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Starts a process that holds the folder, and has a process of its own as a loader has workers."""
    started = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-c", HOLDS, str(tmp_path / NAME)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout.readline() == "holds\n"
        started.append(process)
        return process

    yield start
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()
        process.stdout.close()


def test_a_second_training_is_refused_in_one_line(tmp_path, other, small, monkeypatch):
    monkeypatch.setattr(folder, "PATIENCE", 0.0)
    process = other()
    partial = tmp_path / ".iter_3.pth.1a2b3c4d.partial"  # that the first is writing
    partial.touch()
    with pytest.raises(ConfigError, match=rf"{tmp_path}: found a training at work there \(process {process.pid} on "):
        small.run(tmp_path)
    assert partial.exists()
    assert not list(tmp_path.glob("*.pth"))


def test_a_killed_training_keeps_none_out(tmp_path, other):
    process = other()
    process.kill()  # its child lives on
    process.wait()
    assert hold(str(tmp_path), patience=0)
    let_go(str(tmp_path))


def test_a_job_that_is_started_anew_is_not_kept_out(tmp_path, other, small, monkeypatch):
    monkeypatch.setattr(folder, "PATIENCE", 0.0)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    other()
    new, old = (tmp_path / f".iter_{number}.pth.1a2b3c4d.partial" for number in (3, 4))
    for path in (new, old):
        path.touch()
    os.utime(old, (1000, 1000))
    small.run(tmp_path, hooks=[small.StopAfter(2)])
    assert when_saved(tmp_path / "iter_2.pth")
    assert (new.exists(), old.exists()) == (True, False)
    log = next(tmp_path.glob("*/*.log")).read_text()
    assert "a training at work there" in log
    assert "This job was started anew, and goes on" in log


def test_a_folder_is_left_as_it_was(tmp_path, small):
    small.run(tmp_path, hooks=[small.StopAfter(1)])
    assert (tmp_path / NAME).exists()  # as after a kill
    small.run(tmp_path, resume=True)  # this process holds it already
    assert not (tmp_path / NAME).exists()


def test_the_file_that_its_holder_removed_is_no_lock(tmp_path, monkeypatch):
    real, opened = os.open, []

    def open_and_lose(path: str, *arguments: int) -> int:
        handle = real(path, *arguments)
        if Path(path).name == NAME and not opened:
            os.unlink(path)
        opened.append(handle)
        return handle

    monkeypatch.setattr(os, "open", open_and_lose)
    assert hold(str(tmp_path))
    assert len(opened) == 2
    assert (tmp_path / NAME).read_text().startswith(f"process {os.getpid()} on ")
    let_go(str(tmp_path))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_file_systems_without_locks(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folder_lock.fcntl, "lockf", refuse)
    assert not hold(str(tmp_path), patience=0)
    monkeypatch.setattr(folder_lock, "fcntl", None)
    assert not hold(str(tmp_path), patience=0)
    let_go(str(tmp_path))


def test_a_folder_that_cannot_be_made_is_for_others_to_tell(tmp_path):
    (tmp_path / "file").touch()
    assert not hold(str(tmp_path / "file" / "run"), patience=0)
