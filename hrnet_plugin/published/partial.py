"""A download that is not finished: its bytes, hidden beside the place they are for, and where they came from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO

from ..disk import sync_folder


class Partial:
    """The bytes of `path` that have arrived. They are kept when a download stops, and continued by the next one.

    Args:
        path: The file that it is to become.
        whole_is_checked: Whether the finished file will be compared with a hash. Then any server's bytes may be
            continued from any other's; without one, only those of the same URL in the same version.
    """

    def __init__(self, path: Path, *, whole_is_checked: bool):
        self.target = path
        self.path = path.with_name(f".{path.name}.partial")
        self.whole_is_checked = whole_is_checked
        self.has_older = False
        self._note = path.with_name(f".{path.name}.partial.json")

    @property
    def size(self) -> int:
        """How many bytes have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def next_server(self) -> None:
        """Another server is about to be asked: from here on `has_older` says whether bytes from before are kept."""
        self.has_older = self.size > 0

    def continue_from(self, url: str) -> tuple[int, dict[str, str]]:
        """How many bytes need not be asked of `url` again, and the headers that ask for the rest."""
        size, note = self.size, self._read_note()
        version = note.get("version") if note.get("url") == url else None
        if not size or not (self.whole_is_checked or version):
            return 0, {}
        return size, {"Range": f"bytes={size}-"} | ({"If-Range": version} if version else {})

    def belongs_to(self, total: int | None) -> bool:
        """Whether the bytes can be the beginning of a file of `total` bytes, as far as is known."""
        known = self._read_note().get("total")
        return total is None or (self.size <= total and known in (None, total))

    def remember(self, url: str, version: str | None, total: int | None) -> None:
        """Note where the bytes come from.

        Args:
            url: The server's.
            version: Its ETag or time of change, with which it can be asked for the rest of the same version.
            total: The length of the whole file, in bytes.
        """
        self._note.write_text(json.dumps({"url": url, "version": version, "total": total}), encoding="utf-8")

    def open(self) -> IO[bytes]:
        """The file, to write to its end."""
        return open(self.path, "ab")

    def discard(self) -> None:
        """Forget all of it."""
        self.has_older = False
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self) -> None:
        """Let the bytes reach the disk, then take the file's place in one step."""
        with open(self.path, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self.target)
        self._note.unlink(missing_ok=True)
        sync_folder(self.target.parent)

    def _read_note(self) -> dict:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # none was written, or only half of it
        return note if isinstance(note, dict) else {}
