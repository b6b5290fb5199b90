"""A folder that appears whole or not at all: written beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unfinished(out: Path) -> Iterator[Path]:
    """A fresh folder beside `out`, removed at the end unless it was published.

    What earlier runs that were killed left there is removed too.

    Raises:
        OSError: if the place cannot be written.
    """
    target = out.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    stem = f".{target.name}.partial-"
    for stale in target.parent.glob(f"{stem}*"):
        if not _alive(stale.name[len(stem) :]):
            shutil.rmtree(stale, ignore_errors=True)
    folder = target.parent / f"{stem}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, out: Path) -> None:
    """Give the finished folder its name; an older one of that name goes out of the way first, then away.

    Raises:
        OSError: if it cannot be renamed.
    """
    target = out.resolve()
    old = folder.with_name(folder.name + "-old")
    if target.exists():
        target.rename(old)
    folder.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _alive(process: str) -> bool:
    if not process.isdigit() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
