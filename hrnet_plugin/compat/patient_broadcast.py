"""A first process that computes alone for long, while the others wait for what it will tell.

What broke: a process group has one timeout for all that it does. mmengine evaluates on the first process and has the
others wait in a broadcast: with a timeout by which a machine that is gone is noticed soon, a long evaluation ends the
training; with one that lets it pass (torch's is 30 minutes), a cut link stands for as long. Since torch 1.0.
Detected: always; it acts where there are several processes.
Done: `broadcast_object_list` of mmengine first waits until its source has come to it: the others look at a key of the
store by which the processes have met. The waiting has no end while the store answers; where it does not, its machine
is gone or cannot be reached, and an error says so.
"""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from ..errors import LostProcess
from .fix import AfterImport, Finding

_KEY = "hrnet_plugin/broadcast/{}/{}"
_MEETING = "hrnet_plugin/meeting/{}"
#: Seconds after which a store that does not answer is taken as gone.
_PATIENCE = 60
#: Seconds between two looks: the first, and the longest.
_SOON, _LATE = 0.001, 1.0


def _detect(dist: ModuleType) -> Finding:
    return Finding(True, "the others wait for the first process as long as its machine can be reached")


def _act(dist: ModuleType) -> None:
    broadcast = dist.broadcast_object_list
    numbers = itertools.count()

    @functools.wraps(broadcast)
    def broadcast_patiently(data: list, src: int = 0, group: object = None) -> None:
        if group is None and dist.get_world_size() > 1:
            wait_for(src, next(numbers))
        broadcast(data, src, group)

    dist.broadcast_object_list = broadcast_patiently


def wait_for(source: int, number: int) -> None:
    """Returns at the source at once, and elsewhere when it has called this, too.

    Args:
        source: The rank that the others wait for.
        number: Of the call, counted alike by all.

    Raises:
        LostProcess: the store of the process group does not answer for a minute.
    """
    import torch.distributed as torch_dist
    from torch.distributed.distributed_c10d import _get_default_store

    key = _KEY.format(source, number)
    with _told():
        if torch_dist.get_rank() == source:
            _get_default_store().set(key, b"1")
        else:
            _Watch(_get_default_store().clone(), key).wait()


def meet(number: int) -> None:
    """Returns when all processes have called this.

    Args:
        number: Of the call, counted alike by all.

    Raises:
        LostProcess: the store of the process group does not answer for a minute.
    """
    import torch.distributed as torch_dist
    from torch.distributed.distributed_c10d import _get_default_store

    key = _MEETING.format(number)
    with _told():
        if _get_default_store().add(f"{key}/come", 1) == torch_dist.get_world_size():
            _get_default_store().set(key, b"1")
        else:
            _Watch(_get_default_store().clone(), key).wait()


@contextmanager
def _told() -> Iterator[None]:
    import torch.distributed as torch_dist

    try:
        yield
    except (torch_dist.DistError, RuntimeError, TimeoutError) as error:
        raise lost_process() from error


class _Watch(threading.Thread):
    """Looks at a store until it has a key; in a thread, since a look never ends where the link is cut."""

    def __init__(self, store: object, key: str):
        super().__init__(daemon=True)
        self._store, self._key = store, key
        self._there = threading.Event()
        self._answered = time.monotonic()
        self._error: Exception | None = None

    def wait(self) -> None:
        """Returns when the key is there.

        Raises:
            RuntimeError, TimeoutError: the store is gone, or does not answer.
        """
        self.start()
        while not self._there.wait(1):
            if time.monotonic() - self._answered > _PATIENCE:
                raise TimeoutError(f"no answer of the store for {_PATIENCE} s")
        if self._error is not None:
            raise self._error

    def run(self) -> None:
        """Looks, ever more seldom."""
        pause = _SOON
        try:
            while not self._store.check([self._key]):
                self._answered = time.monotonic()
                time.sleep(pause)
                pause = min(2 * pause, _LATE)
        except Exception as error:
            self._error = error
        self._there.set()


def lost_process(why: str = "") -> LostProcess:
    """The error for a process that the others cannot reach any more."""
    return LostProcess(
        "joining the processes",
        found="one of them has ended, or its machine cannot be reached" + (f" ({why})" if why else ""),
        do="Its own message, if it had one, stands above or in its log; go on from the newest checkpoint with --resume",
    )


FIX = AfterImport(
    name="patient-broadcast",
    breakage="a long evaluation on the first process ends the training, or a cut link is noticed after 30 minutes",
    since="torch 1.0",
    target="mmengine.dist.dist",
    detect=_detect,
    act=_act,
)
