"""A file is written as a whole or not at all, whatever ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from hrnet_plugin.checkpoints import remove_partial_files, save_atomically, write_text_atomically

# Each ends the process by a signal at one moment of the writing. The second is the kernel's own: the file grows
# past the limit in the middle of a write, and SIGXFSZ ends the process there.
MOMENTS = {
    "before the first byte": "os.open = io.open = builtins.open = lambda *a, **k: die()",
    "in the middle of the content": (
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL);resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    ),
    "before the content is on the disk": "os.fsync = lambda *a: die()",
    "before the rename": "os.replace = lambda *a: die()",
    "after the rename": "os.open = lambda *a, **k: die()",
}
PROGRAM = """
    import builtins, io, os, resource, signal, sys
    from hrnet_plugin.checkpoints import save_atomically

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    content = b"new" * 100_000
    {moment}
    save_atomically(content, sys.argv[1])
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_leaves_the_old_file_or_the_new_one(moment, tmp_path, project_root):
    path = tmp_path / "state.bin"
    path.write_bytes(b"old")
    code = textwrap.dedent(PROGRAM).format(moment=MOMENTS[moment])

    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=project_root, capture_output=True, timeout=60)

    assert -done.returncode in (signal.SIGKILL, signal.SIGXFSZ), done.stderr.decode()
    assert path.read_bytes() == (b"new" * 100_000 if moment == "after the rename" else b"old")
    left = set(tmp_path.iterdir()) - {path}
    assert bool(left) == (moment not in ("before the first byte", "after the rename"))
    assert set(remove_partial_files(tmp_path)) == left
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_keeps_the_old_file_and_leaves_nothing_beside_it(step, tmp_path, monkeypatch):
    path = tmp_path / "state.bin"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        save_atomically(b"new", path)

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_object_that_cannot_be_saved_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state.pth"
    save_atomically({"step": 1}, path)

    def stop_midway(content, file):
        file.write(b"half")
        raise RuntimeError("stopped")

    monkeypatch.setattr(torch, "save", stop_midway)
    with pytest.raises(RuntimeError, match="stopped"):
        save_atomically({"step": 2}, path)

    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_content_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    calls: list[str] = []
    for step in ("fsync", "replace"):
        real = getattr(os, step)
        monkeypatch.setattr(os, step, lambda *a, step=step, real=real: (calls.append(step), real(*a))[1])

    save_atomically(b"new", tmp_path / "state.bin")

    assert calls == ["fsync", "replace", "fsync"]  # the file, its name, the folder


def test_tensors_bytes_and_text_come_back_and_folders_are_made(tmp_path):
    weights = {"conv.weight": torch.arange(6.0).reshape(2, 3)}
    save_atomically(weights, tmp_path / "a/b/weights.pth")
    save_atomically(memoryview(b"\x00\x01"), tmp_path / "bytes")
    write_text_atomically("Grüße\n", tmp_path / "text")

    loaded = torch.load(tmp_path / "a/b/weights.pth", weights_only=True)
    assert torch.equal(loaded["conv.weight"], weights["conv.weight"])
    assert (tmp_path / "bytes").read_bytes() == b"\x00\x01"
    assert (tmp_path / "text").read_text(encoding="utf-8") == "Grüße\n"


def test_symbolic_link_stays_and_the_mode_is_that_of_a_plain_file(tmp_path):
    real, link, plain = tmp_path / "real", tmp_path / "link", tmp_path / "plain"
    real.write_bytes(b"old")
    link.symlink_to(real)
    plain.touch()

    save_atomically(b"new", link)

    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert Path(real).stat().st_mode == plain.stat().st_mode


def test_only_partial_files_are_swept(tmp_path):
    for name in (".state.pth.1a2b3c4d.partial", ".mine.partial", "notes.partial", "epoch_1.pth"):
        (tmp_path / name).touch()

    assert [path.name for path in remove_partial_files(tmp_path)] == [".state.pth.1a2b3c4d.partial"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.partial", "epoch_1.pth", "notes.partial"]


def test_partial_files_of_another_writer_are_left_alone(tmp_path):
    fresh, old = (tmp_path / f".epoch_{epoch}.pth.1a2b3c4d.partial" for epoch in (1, 2))
    for path in (fresh, old):
        path.touch()
    os.utime(old, (1000, 1000))
    assert remove_partial_files(tmp_path, idle=3600) == [old]
    assert fresh.exists()
