"""The local folder of published weights. What is in it is checked before use; nothing here asks the network."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CheckpointError
from .hashes import file_sha256, matches
from .sources import Source

#: Files whose hash was found right in this process, with size and time of change: a config may name one several times.
_checked: dict[Path, tuple[int, int, str]] = {}


def weights_dir() -> Path:
    """The folder of the weights: `HRNET_WEIGHTS`, or `hrnet_plugin/weights` in the user's cache."""
    if named := os.environ.get("HRNET_WEIGHTS"):
        return Path(named).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "hrnet_plugin" / "weights"


def stored_path(source: Source, folder: Path | None = None) -> Path:
    """Where the store keeps `source`, whether it is there or not."""
    return (folder or weights_dir()) / source.file_name


def find_stored(source: Source, folder: Path | None = None) -> Path | None:
    """The file of `source` with its hash checked, or None where the store has none.

    Args:
        source: The weights.
        folder: The store; by default :func:`weights_dir`.

    Raises:
        CheckpointError: the file has another hash or cannot be read. It stays as it is.
    """
    path = stored_path(source, folder)
    if not path.is_file():
        return None
    if source.sha256:
        _check(path, source)
    return path


def _check(path: Path, source: Source) -> None:
    try:
        state = path.stat()
        stamp = (state.st_size, state.st_mtime_ns, source.sha256)
        if _checked.get(path) == stamp:
            return
        digest = file_sha256(path)
    except OSError as error:
        raise CheckpointError(
            f"weights {path}", found=(error.strerror or str(error)).lower(), expected="a file that can be read"
        ) from error
    if not matches(digest, source.sha256):
        raise CheckpointError(
            f"weights {path}",
            found=f"SHA-256 {digest[:16]}...",
            expected=f"{source.sha256[:16]}{'...' if len(source.sha256) > 16 else ''} as published",
            do=f"Move the file away, then run: hrnet zoo fetch {source.name}",
        )
    _checked[path] = stamp
