"""Exported files reach their place whole: they are written beside it and moved when they are complete."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...disk import is_full, sync_folder
from ...errors import ConfigError


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A folder to write the files of one export into; they take their place once the block ends without an error.

    Args:
        target: The export's main file. All files in the folder are moved beside it; the main one last, so that it
            never stands there without the others.

    Raises:
        ConfigError: the folder cannot be written, or is full. What stood there before still stands.
    """
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=folder) as name:
            yield Path(name)
            files = sorted(path for path in Path(name).iterdir() if path.is_file())
            for path in files:  # all of them, before the first one takes its place
                with path.open("rb+") as written:
                    os.fsync(written.fileno())
            for path in sorted(files, key=lambda path: path.name == target.name):
                os.replace(path, folder / path.name)
        sync_folder(folder)
    except OSError as error:
        room = "a disk with room for it" if is_full(error) else "a folder that can be written"
        raise ConfigError(f"cannot write {target}", found=f"'{error.strerror or error}'", expected=room) from error
