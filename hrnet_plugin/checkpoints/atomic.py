"""Writing files so that a kill at any moment leaves the old file or the new one, never half of one.

The content goes to a partial file in the same folder, reaches the disk (fsync), and only then takes the name
(a rename within one file system is atomic). The folder is synced last, so that the rename itself lasts.
"""

from __future__ import annotations

import io
import os
import secrets
from pathlib import Path

from ..disk import sync_folder

_PARTIAL = ".partial"


def save_atomically(content: object, path: str | os.PathLike[str]) -> None:
    """Write a file as a whole or not at all.

    Args:
        content: Bytes are written as they are; anything else goes through `torch.save`.
        path: The file; its folder is made where it is missing. A symbolic link stays, its target is replaced.

    Raises:
        OSError: the file cannot be written (no permission, no room). What stood there before still stands.
    """
    target = Path(os.path.realpath(path))
    data = content if isinstance(content, (bytes, bytearray, memoryview)) else serialise(content)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_PARTIAL}")
    try:
        with open(partial, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def write_text_atomically(text: str, path: str | os.PathLike[str]) -> None:
    """Write a text file (UTF-8) as a whole or not at all; see :func:`save_atomically`."""
    save_atomically(text.encode("utf-8"), path)


def remove_partial_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Remove what a killed process left in `folder` while it wrote there; returns the removed files.

    For the folder's only writer: the partial file of a process that is still writing would go as well.
    """
    removed = sorted(Path(folder).glob(f".*.????????{_PARTIAL}"))
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def serialise(content: object) -> memoryview:
    """The bytes that `torch.save` writes for an object.

    In memory, since torch's zip writer reports a full disk below it as "unexpected pos".
    """
    import torch  # here, since bytes and text are also written where there is no torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()
