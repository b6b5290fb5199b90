"""Processes that load data, and the signals that a training is asked to make room with.

Slurm, torchrun, systemd and others send a signal to all processes of a group. By torch's own handler a loader's process
ends at once, and a training that is about to save meets its loss as an error.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

from torch.utils.data import DataLoader


def leave_signals_to_training(loader: object, numbers: Iterable[int]) -> None:
    """Has a loader's processes, those that it is yet to start, pass over signals unless the training sends them.

    Nothing on systems that cannot tell who has sent a signal (Linux can), and for what is no loader of torch.

    Args:
        loader: Of a training or of its validation.
        numbers: Of the signals.
    """
    if not isinstance(loader, DataLoader) or not hasattr(signal, "sigwaitinfo") or "_get_iterator" in vars(loader):
        return
    numbers = frozenset(numbers)
    loader.worker_init_fn = functools.partial(_begin, numbers, os.getpid(), loader.worker_init_fn)
    # By a weak reference: a loader in a cycle would be left to the garbage collector, and its processes with it.
    loader._get_iterator = functools.partial(_start, weakref.ref(loader), numbers)


def _start(loader: weakref.ref[DataLoader], numbers: frozenset[int]) -> Iterator:
    # A process takes over which signals are blocked, and has not called anything of ours yet while it imports torch.
    with _blocked(numbers):
        if (loader().multiprocessing_context or multiprocessing.get_context()).get_start_method() != "fork":
            # Where it is yet to be started, Python lets SIGTERM through afterwards.
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        return type(loader())._get_iterator(loader())


@contextmanager
def _blocked(numbers: frozenset[int]) -> Iterator[None]:
    """Meanwhile the signals wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(numbers: frozenset[int], training: int, then: Callable[[int], None] | None, worker: int) -> None:
    """What each of its processes does first; `training` is the process that uses the loader."""
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    threading.Thread(target=_pass_over, args=(numbers, training), daemon=True).start()
    if then is not None:
        then(worker)


def _pass_over(numbers: frozenset[int], training: int) -> None:
    while signal.sigwaitinfo(numbers).si_pid != training:
        pass
    os._exit(0)  # as torch's handler does: the training no longer needs it
