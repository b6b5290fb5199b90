"""Runs jobs in several processes.

Not with multiprocessing: a fork hangs once OpenCV or torch have started threads, and a spawn runs the caller's
script a second time.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import cv2

from ..locations import PACKAGE
from .jobs import Job, run_job


def cpu_count() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Run jobs, in this process where `workers` is 1, and yield the number and the rows of each as it is done.

    Raises:
        OSError: if a job could not write its files.
        RuntimeError: if a worker died.
    """
    if workers == 1:
        with _one_thread():
            yield from ((number, run_job(job)) for number, job in enumerate(jobs))
        return
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    for number in [*range(len(jobs)), *[None] * workers]:
        waiting.put(number)
    answers: queue.SimpleQueue[tuple[int, dict[str, Any] | None]] = queue.SimpleQueue()
    processes = [_start() for _ in range(workers)]
    try:
        for process in processes:
            threading.Thread(target=_feed, args=(process, jobs, waiting, answers), daemon=True).start()
        for _ in jobs:
            number, rows = answers.get()
            yield number, _checked(rows)
    finally:
        for process in processes:
            _end(process)


def _start() -> subprocess.Popen[str]:
    paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"{__package__}.jobs"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            pipe.close()


def _feed(
    process: subprocess.Popen[str], jobs: Sequence[Job], waiting: queue.SimpleQueue, answers: queue.SimpleQueue
) -> None:
    """Give a worker one job after the other; a worker that dies answers None."""
    while (number := waiting.get()) is not None:
        try:
            process.stdin.write(jobs[number].to_json() + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):  # it died, or was ended and its pipes closed
            line = ""
        answers.put((number, json.loads(line) if line.endswith("\n") else None))


def _checked(rows: dict[str, Any] | None) -> dict[str, Any]:
    if rows is None:
        raise RuntimeError("a process that draws pictures died; its own message stands above")
    if "error" in rows:
        raise OSError(*rows["error"])
    return rows


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenCV's own threads cost more than they gain on small pictures."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
