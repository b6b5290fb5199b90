"""What both the checkpoints and the weight store need of the disk: renames that last, and the word for a full one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def is_full(error: OSError) -> bool:
    """Whether a file could not be written for want of room: a full disk or a used-up quota."""
    return error.errno in _NO_ROOM


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
