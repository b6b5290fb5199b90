"""One training a folder: a second would remove what the first is writing, and mix its checkpoints with those of it."""

from __future__ import annotations

import errno
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from hrnet_plugin.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = ".training.lock"
#: Seconds after which another is not taken for one that is about to end.
PATIENCE = 5.0

#: Files that this process has locked, by path.
_held: dict[str, int] = {}


def hold(folder: str, patience: float = PATIENCE) -> bool:
    """Takes a folder for this process, until it lets go or ends, however it ends.

    A process may take it more than once.

    Args:
        folder: Is made where it is missing.
        patience: Seconds to wait for another process.

    Returns:
        Whether it is held; not where the file system knows no locks.

    Raises:
        ConfigError: another process holds it.
    """
    path = os.path.join(os.path.realpath(folder), NAME)
    if fcntl is None or path in _held:
        return path in _held
    end = time.monotonic() + patience
    try:
        os.makedirs(folder, exist_ok=True)
        while (handle := _locked(path)) is None and time.monotonic() < end:
            time.sleep(0.2)
    except OSError:  # no locks there; whether checkpoints can be written shows when they are
        return False
    if handle is not None:
        _held[path] = handle
        return True
    holder = "unknown to this one"
    with suppress(OSError):
        holder = Path(path).read_text(errors="replace").strip() or holder
    raise ConfigError(
        f"folder of checkpoints {folder}",
        found=f"a training at work there ({holder})",
        expected="one training a folder",
        do=f"End it, or name another --work-dir; where it has long gone, remove {path}",
    )


def let_go(folder: str) -> None:
    """Leaves a folder to others; nothing where it is not held."""
    path = os.path.join(os.path.realpath(folder), NAME)
    handle = _held.pop(path, None)
    if handle is not None:
        with suppress(OSError):
            os.unlink(path)
        os.close(handle)


def _locked(path: str) -> int | None:
    """A handle of the file, locked; None where another process has locked it.

    By `lockf`: a lock of `flock` would live on in the loader's workers after this process was killed.

    Raises:
        OSError: it cannot be opened, or locks are not known here.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.exists(path) and os.path.samestat(os.fstat(handle), os.stat(path))
        except OSError as error:
            os.close(handle)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return None
            raise
        if is_there:
            with suppress(OSError):  # a full disk: only the other's message is the poorer for it
                os.ftruncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
            return handle
        os.close(handle)  # its holder has removed it meanwhile
