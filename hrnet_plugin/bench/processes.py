"""Fresh processes for the benchmark, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .. import errors
from ..disk import write_whole
from ..errors import LaunchError
from ..locations import PACKAGE
from .records import from_plain, to_plain
from .subjects import Job, Outcome

#: What libraries read when they start their threads.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Runner = Callable[[Job], Outcome]


def run_process(job: Job) -> Outcome:
    """Does a job in a process of its own.

    Raises:
        UserError: what the process found wrong in the input, as if it had been found here.
        LaunchError: the process died; names the file with what it said.
    """
    folder = Path(job.folder)
    job_file, outcome_file, log = (folder / name for name in ("job.json", "outcome.json", "worker.log"))
    write_whole(json.dumps(to_plain(job)).encode(), job_file)
    outcome_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "hrnet_plugin.bench.worker", str(job_file), str(outcome_file)]
    with log.open("w", encoding="utf-8") as said:
        status = subprocess.run(command, env=_environment(job), stdout=said, stderr=said, check=False).returncode
    if status or not outcome_file.exists():
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise LaunchError(
            f"a process of the benchmark ({', '.join(subject.name for subject in job.subjects)})",
            found=f"exit status {status} ({' '.join(last)[:160]})",
            do=f"Its own words are in {log}",
        )
    return read_outcome(json.loads(outcome_file.read_text(encoding="utf-8")))


def read_outcome(found: dict) -> Outcome:
    """What a process has written.

    Raises:
        UserError: it is a mistake in the input.
    """
    if "error" not in found:
        return from_plain(Outcome, found, "outcome")
    told = dict(found["error"])
    raise getattr(errors, told.pop("kind"))(told.pop("what"), **told)


def _environment(job: Job) -> dict[str, str]:
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    compiled = str(Path(job.folder).resolve() / "compiled")
    fixed = {"PYTHONPATH": os.pathsep.join(paths), "TORCHINDUCTOR_CACHE_DIR": compiled}
    return os.environ | fixed | dict.fromkeys(_THREADS, str(job.threads))
