"""Checkpoints and what belongs to them, written as a whole or not at all (`disk.write_whole`)."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..disk import PARTIAL, write_whole
from ..errors import CheckpointError


def save_atomically(content: object, path: str | os.PathLike[str]) -> None:
    """Write a file as a whole or not at all.

    Args:
        content: Bytes are written as they are; anything else goes through `torch.save`.
        path: The file; its folder is made where it is missing. A symbolic link stays, its target is replaced.

    Raises:
        OSError: the file cannot be written (no permission, no room). What stood there before still stands.
    """
    is_bytes = isinstance(content, (bytes, bytearray, memoryview))
    write_whole(content if is_bytes else serialise(content), path)


def save_or_tell(content: object, path: str | os.PathLike[str], what: str, do: str) -> None:
    """Write a file that the user asked for, as a whole or not at all.

    Args:
        content, path: As :func:`save_atomically` takes them.
        what: What the file is, as in 'cannot write <what> a.pth'.
        do: What the user may do where it cannot be written.

    Raises:
        CheckpointError: the folder cannot be written or is full; the file that stood there still stands.
    """
    data = content if isinstance(content, (bytes, bytearray, memoryview)) else serialise(content)
    with told(path, what, len(data), do):
        write_whole(data, path)


@contextmanager
def told(path: str | os.PathLike[str], what: str, size: int, do: str) -> Iterator[None]:
    """Tells in one line what cannot be written meanwhile.

    Args:
        path, what, do: As :func:`save_or_tell` takes them.
        size: Bytes.

    Raises:
        CheckpointError: in the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"cannot write {what} {path}",
            found=f"'{error.strerror or error}'",
            expected=f"a folder that can be written, with {size / 2**20:.0f} MiB free",
            do=do,
        ) from error


def write_text_atomically(text: str, path: str | os.PathLike[str]) -> None:
    """Write a text file (UTF-8) as a whole or not at all; see :func:`save_atomically`."""
    save_atomically(text.encode("utf-8"), path)


def remove_partial_files(folder: str | os.PathLike[str], *, idle: float = 0) -> list[Path]:
    """Remove what a killed process left in `folder` while it wrote there; returns the removed files.

    Args:
        folder: Where this process is the only writer: the partial file of one that is still writing would go as well.
        idle: Seconds for which nothing must have been written to a file, where there may be other writers.
    """
    removed = []
    for path in sorted(Path(folder).glob(f".*.????????{PARTIAL}")):
        with suppress(FileNotFoundError):  # whoever wrote it was done
            if not idle or time.time() - path.stat().st_mtime > idle:
                path.unlink()
                removed.append(path)
    return removed


def serialise(content: object) -> memoryview:
    """The bytes that `torch.save` writes for an object.

    In memory, since torch's zip writer reports a full disk below it as "unexpected pos".
    """
    import torch  # here, since bytes and text are also written where there is no torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()
