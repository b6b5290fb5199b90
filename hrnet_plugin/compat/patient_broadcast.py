"""A first process that computes alone for long, while the others wait for what it will tell.

What broke: a process group has one timeout for all that it does. mmengine evaluates on the first process and has the
others wait in a broadcast: with a timeout by which a machine that is gone is noticed soon, a long evaluation ends the
training; with one that lets it pass (torch's is 30 minutes), a cut link stands for as long. Since torch 1.0.
Detected: always; it acts where there are several processes.
Done: `broadcast_object_list` of mmengine first waits until its source has come to it: the others look at a key of the
store by which the processes have met. The waiting has no end while the store answers; where it does not, its machine
is gone or cannot be reached, and an error says so. Where its process alone has ended, they broadcast at once.
"""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import ClassVar

from ..errors import LostProcess
from .fix import AfterImport, Finding

_KEY = "hrnet_plugin/broadcast/{}/{}"
_MEETING = "hrnet_plugin/meeting/{}"
#: Seconds after which a store that does not answer is taken as gone.
_PATIENCE = 60
#: Seconds between two looks: the first, and the longest.
_SOON, _LATE = 0.001, 1.0
#: The store of a process group, and the calls so far. A process may be in one group after another.
_counted: tuple[object, Iterator[int]] = (None, iter(()))


def _detect(dist: ModuleType) -> Finding:
    return Finding(True, "the others wait for the first process as long as its machine can be reached")


def _act(dist: ModuleType) -> None:
    broadcast = dist.broadcast_object_list

    @functools.wraps(broadcast)
    def broadcast_patiently(data: list, src: int = 0, group: object = None) -> None:
        if group is None and dist.get_world_size() > 1:
            wait_for(src)
        broadcast(data, src, group)

    dist.broadcast_object_list = broadcast_patiently


def wait_for(source: int) -> None:
    """Returns at the source at once, and elsewhere when it has called this, too; to be called by all equally often.

    Args:
        source: The rank that the others wait for.

    Raises:
        LostProcess: the store of the process group does not answer for a minute.
    """
    import torch.distributed as torch_dist
    from torch.distributed.distributed_c10d import _get_default_store

    key = _KEY.format(source, _count())
    with _without_store():
        if torch_dist.get_rank() == source:
            _get_default_store().set(key, b"1")
        else:
            _Watch(key).wait()


def meet() -> None:
    """Returns when all processes have called this; to be called by all equally often.

    Raises:
        LostProcess: the store of the process group does not answer for a minute.
    """
    import torch.distributed as torch_dist
    from torch.distributed.distributed_c10d import _get_default_store

    key = _MEETING.format(_count())
    with _without_store():
        if _get_default_store().add(f"{key}/come", 1) == torch_dist.get_world_size():
            _get_default_store().set(key, b"1")
        else:
            _Watch(key).wait()


def _count() -> int:
    """The number of this call among those of the process group, whose processes count alike."""
    from torch.distributed.distributed_c10d import _get_default_store

    global _counted
    if _counted[0] is not _get_default_store():
        _counted = _get_default_store(), itertools.count()
    return next(_counted[1])


@contextmanager
def _without_store() -> Iterator[None]:
    """Goes on where the store is gone: its process has ended (torchrun may hold it), and its machine has said so.

    The processes may still reach each other, and what they are about to do tells where they do not.
    """
    import torch.distributed as torch_dist

    try:
        yield
    except (torch_dist.DistError, RuntimeError):
        return
    except TimeoutError as error:
        raise lost_process() from error


class _Watch(threading.Thread):
    """Looks at the store until it has a key; in a thread, since a look never ends where the link is cut."""

    #: A store and its copy: a look must not wait for what else is asked of the first.
    _copied: ClassVar[tuple[object, object]] = (None, None)

    def __init__(self, key: str):
        super().__init__(daemon=True)
        self._key = key
        self._there = threading.Event()
        self._answered = time.monotonic()
        self._error: Exception | None = None

    def wait(self) -> None:
        """Returns when the key is there.

        Raises:
            TimeoutError: the store does not answer.
            RuntimeError: it is gone.
        """
        self.start()
        while not self._there.wait(1):
            if time.monotonic() - self._answered > _PATIENCE:
                raise TimeoutError(f"no answer of the store for {_PATIENCE} s")
        if self._error is not None:
            raise self._error

    def run(self) -> None:
        """Looks, ever more seldom."""
        from torch.distributed.distributed_c10d import _get_default_store

        pause, store = _SOON, _get_default_store()
        try:
            # Made at the first look and kept: nobody can connect to a store that is gone.
            if _Watch._copied[0] is not store:
                _Watch._copied = store, store.clone()
            while not _Watch._copied[1].check([self._key]):
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
