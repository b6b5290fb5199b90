"""Signals before a training has begun, and after its end."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hrnet_plugin.cli import launch, run, train
from hrnet_plugin.engine import preemption
from hrnet_plugin.errors import Preempted

ASKED = """
import os, signal
from hrnet_plugin.cli.launch import room_made_at_once
with room_made_at_once():
    os.kill(os.getpid(), signal.{name})
    print("went on")
"""


@pytest.mark.parametrize(("name", "rank"), [("SIGUSR1", "0"), ("SIGTERM", "0"), ("SIGTERM", "1")])
def test_room_is_made_at_once_where_nothing_is_to_be_saved(name, rank, project_root):
    done = subprocess.run(
        [sys.executable, "-c", ASKED.format(name=name)],
        env={**os.environ, "PYTHONPATH": str(project_root), "RANK": rank},
        capture_output=True,
        text=True,
    )
    told = f"hrnet: asked to make room ({name}) while there was nothing to save\n" if rank == "0" else ""
    assert (done.returncode, done.stdout, done.stderr) == (75, "", told)


def test_a_process_that_is_forked_ends_as_by_default():
    here, there = multiprocessing.Pipe()

    def wait() -> None:
        there.send("it runs")
        time.sleep(20)

    with launch.room_made_at_once():
        process = multiprocessing.get_context("fork").Process(target=wait)
        process.start()
        here.recv()
        process.terminate()
        process.join()
    assert process.exitcode == -signal.SIGTERM


def test_a_training_listens_from_its_start_to_its_end(monkeypatch):
    before = [signal.getsignal(number) for number in preemption.SIGNALS]
    seen = []
    monkeypatch.setattr(run, "train", lambda args: seen.extend(map(signal.getsignal, preemption.SIGNALS)) or 0)
    assert train.run(argparse.Namespace()) == 0
    assert [handler.func for handler in seen] == [launch._make_room] * 2
    assert [signal.getsignal(number) for number in preemption.SIGNALS] == before


def test_an_echo_does_not_change_the_status_of_a_training_that_made_room():
    before = {number: signal.getsignal(number) for number in preemption.SIGNALS}
    try:
        with pytest.raises(Preempted), launch.room_made_at_once():
            raise Preempted("asked")
        assert [signal.getsignal(number).func for number in before] == [launch._make_room] * 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_other_threads_leave_signals_alone():
    seen = []

    def listen() -> None:
        with launch.room_made_at_once():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
