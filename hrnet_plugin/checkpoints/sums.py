"""The SHA-256 beside each checkpoint, by which it shows whether it still is what was written.

`epoch_3.pth.sha256` holds one line in the form of sha256sum, which can check it, too: `sha256sum -c *.sha256`.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from pathlib import Path

from ..compat.checkpoint_reading import read_checkpoint
from ..disk import write_whole
from ..errors import CheckpointError

_SUFFIX = ".sha256"
_LINE = re.compile(r"([0-9a-f]{64})(\s|$)")


def sum_file(path: str | Path) -> Path:
    """Where the sum of a checkpoint stands."""
    return Path(f"{path}{_SUFFIX}")


def is_sum(path: str | Path) -> bool:
    """Whether a file is such a sum, by its name."""
    return Path(path).suffix == _SUFFIX


def write_with_sum(data: bytes | memoryview, path: str | Path) -> None:
    """Writes a checkpoint, then its sum; a kill at any moment leaves a whole one, or the one before.

    Args:
        data: All of the checkpoint.
        path: A local file.

    Raises:
        OSError: it cannot be written; what stood there still stands, perhaps without its sum.
    """
    sum_file(path).unlink(missing_ok=True)  # a kill between the two must not leave the old sum beside the new file
    write_whole(data, path)
    digest = hashlib.sha256(data).hexdigest()
    write_whole(f"{digest}  {Path(path).name}\n".encode(), sum_file(path))


def fault_of(path: str | Path) -> str:
    """What is wrong with a checkpoint file, or '' where it is what was written.

    One without a sum, as mmengine writes it, is held against the checksums that zip files have of their parts, which
    torch does not look at.
    """
    try:
        return _against_sum(Path(path)) if sum_file(path).is_file() else _read_whole(path)
    except OSError as error:
        return str(error.strerror or error).lower()


def _against_sum(path: Path) -> str:
    line = _LINE.match(sum_file(path).read_text(encoding="utf-8", errors="replace"))
    if not line:
        return _read_whole(path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == line[1]:
        return ""
    return f"SHA-256 {found[:8]}..., where {sum_file(path).name} says {line[1][:8]}...: it was damaged since"


def _read_whole(path: str | Path) -> str:
    try:
        read_checkpoint(path)
    except CheckpointError as error:
        return str(error.found)
    if not zipfile.is_zipfile(path):  # torch's form before 1.6, or safetensors: they have no checksums
        return ""
    try:
        with zipfile.ZipFile(path) as parts:
            broken = parts.testzip()
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, NotImplementedError, zlib.error) as error:
        return f"parts that cannot be read ({type(error).__name__})"
    return f"a part whose checksum is another ({broken})" if broken else ""
