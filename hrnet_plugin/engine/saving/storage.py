"""Where checkpoints go: local files, each written as a whole with its sum beside it, at once or in the background."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

from mmengine.fileio import LocalBackend, register_backend
from mmengine.runner.checkpoint import _load_checkpoint

from hrnet_plugin.checkpoints.atomic import serialise, told
from hrnet_plugin.checkpoints.publishing import hashed_name
from hrnet_plugin.checkpoints.sums import sum_file, write_with_sum

BACKEND = "hrnet_plugin.atomic"


@register_backend(BACKEND)
class AtomicLocalBackend(LocalBackend):
    """Local files, each written as a whole or not at all, with its SHA-256 beside it."""

    _noted: ClassVar[list[tuple[bytes, str]] | None] = None

    @classmethod
    @contextmanager
    def noting(cls, noted: list[tuple[bytes, str]]) -> Iterator[None]:
        """Has what is put meanwhile only noted, bytes and path.

        For all backends of this kind: mmengine makes one for each checkpoint.
        """
        cls._noted = noted
        try:
            yield
        finally:
            cls._noted = None

    def put(self, obj: bytes, filepath: str | os.PathLike[str]) -> None:
        """Write bytes, or note them.

        Raises:
            CheckpointError: the folder cannot be written or is full; the file that stood there still stands.
        """
        if self._noted is not None:
            self._noted.append((obj, str(filepath)))
        else:
            write_checkpoint(obj, str(filepath))

    def remove(self, filepath: str | os.PathLike[str]) -> None:
        """Remove a file, then its sum."""
        super().remove(filepath)
        sum_file(filepath).unlink(missing_ok=True)


class RemovesLater:
    """A file backend that only notes what is to be removed.

    Args:
        backend: Does everything else.
        noted: Takes the paths.
    """

    def __init__(self, backend: Any, noted: list[str]):
        self._backend = backend
        self._noted = noted

    def remove(self, path: str) -> None:
        """Note a file or a folder."""
        self._noted.append(path)

    rmtree = remove

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def write_checkpoint(data: bytes | memoryview, path: str) -> None:
    """Writes a checkpoint and its sum.

    Raises:
        CheckpointError: the folder cannot be written or is full; the file that stood there still stands.
    """
    do = "The checkpoint before it still stands: make room, and where the run stops go on from it with --resume"
    with told(path, "checkpoint", len(data), do):
        write_with_sum(data, path)


def remove_all(backend: Any, paths: Iterable[str]) -> None:
    """Removes checkpoints, as far as they are there."""
    for path in paths:
        if backend.isfile(path):
            backend.remove(path)
        elif backend.isdir(path):  # deepspeed's checkpoints are folders
            backend.rmtree(path)


def publish(backend: Any, path: str, keys: Collection[str]) -> tuple[str, list[str]]:
    """Writes a checkpoint beside itself with some of its keys alone, under a name with its hash.

    Returns:
        The path of the new one, and the keys that were left out.
    """
    checkpoint = _load_checkpoint(path)
    data = serialise({key: checkpoint[key] for key in checkpoint if key in keys})
    published = hashed_name(os.path.splitext(path)[0], hashlib.sha256(data).hexdigest(), ".pth")
    backend.put(data.tobytes(), published)
    return published, sorted(set(checkpoint) - set(keys))


class Writer:
    """Does what takes long at once, or in a thread of its own.

    Args:
        background: In a thread.
    """

    def __init__(self, background: bool):
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint") if background else None
        self._begun: Future | None = None

    def do(self, action: Callable[[], None]) -> None:
        """Does it, or begins to; how it ended is what :meth:`wait` tells. One thing at a time."""
        if self._pool is not None:
            self._begun = self._pool.submit(action)
            return
        self._begun = Future()
        try:
            self._begun.set_result(action())
        except Exception as error:
            self._begun.set_exception(error)

    def wait(self) -> None:
        """Returns when it is done.

        Raises:
            Exception: what it raised.
        """
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.result()
