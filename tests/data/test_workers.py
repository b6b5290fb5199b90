from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrnet_plugin.data import workers
from hrnet_plugin.data.jobs import Job


def jobs(folder: Path, count: int) -> list[Job]:
    for name in ("train", "masks/train"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return [Job(str(folder), 0, "train", index, index + 1, (96, 64)) for index in range(count)]


def test_every_job_is_answered_once(tmp_path):
    wanted = jobs(tmp_path, 7)
    alone = dict(workers.run_jobs(wanted, 1))
    together = dict(workers.run_jobs(wanted, 3))
    assert sorted(together) == list(range(7))
    assert json.loads(json.dumps(alone)) == json.loads(json.dumps(together))


@pytest.mark.parametrize("count", [1, 2])
def test_a_folder_that_vanished_is_an_os_error(tmp_path, count):
    lost = [Job(str(tmp_path / "lost"), 0, "train", index, index + 1, (96, 64)) for index in range(2)]
    with pytest.raises(FileNotFoundError, match="No such file"):
        list(workers.run_jobs(lost, count))


def test_a_worker_that_dies_does_not_hang(tmp_path, monkeypatch):
    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "import sys; sys.stdin.readline()"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(workers, "_start", start)
    with pytest.raises(RuntimeError, match="died"):
        list(workers.run_jobs(jobs(tmp_path, 4), 2))


def test_a_plain_script_may_use_workers_after_opencv_has_started_threads(tmp_path, project_root):
    script = tmp_path / "script.py"
    script.write_text(
        "import cv2, numpy\n"
        "cv2.setNumThreads(4)\n"
        "cv2.GaussianBlur(numpy.zeros((2000, 2000, 3), numpy.float32), (0, 0), 3)\n"
        "print('once')\n"
        "from hrnet_plugin.data import make_dataset\n"
        f"make_dataset({str(tmp_path / 'set')!r}, train=20, val=1, test=1, size=(96, 64), workers=2)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(project_root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n", "")
    assert len(list((tmp_path / "set/train").iterdir())) == 20


def test_a_job_survives_the_trip():
    job = Job("somewhere", 3, "val", 4, 9, (256, 192))
    assert Job.from_json(job.to_json()) == job
