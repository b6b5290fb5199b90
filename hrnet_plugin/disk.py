"""Writing files so that a kill at any moment leaves the old file or the new one, never half of one.

The content goes to a partial file in the same folder, reaches the disk (fsync), and only then takes the name
(a rename within one file system is atomic). The folder is synced last, so that the rename itself lasts.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

#: How the file that is still being written ends.
PARTIAL = ".partial"

_NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def is_full(error: OSError) -> bool:
    """Whether a file could not be written for want of room: a full disk or a used-up quota."""
    return error.errno in _NO_ROOM


def write_whole(data: bytes | bytearray | memoryview, path: str | os.PathLike[str], *, synced: bool = True) -> None:
    """Write a file as a whole or not at all.

    Args:
        data: All of it.
        path: The file; its folder is made where it is missing. A symbolic link stays, its target is replaced.
        synced: Wait until it is on the disk. Otherwise a kill leaves it whole all the same, but a power cut may not:
            for one of many that can be made again, each of which would wait for ten milliseconds.

    Raises:
        OSError: the file cannot be written (no permission, no room). What stood there before still stands.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with open(partial, "xb") as file:
            file.write(data)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if synced:
        sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Let a rename in `folder` reach the disk.

    Raises:
        OSError: the disk refuses.
    """
    if os.name != "posix":
        return  # Windows opens no folders
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems do not know fsync of a folder; the file stands all the same.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
