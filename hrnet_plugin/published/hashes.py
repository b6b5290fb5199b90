"""SHA-256 of files, whole or by the digits with which a published file's name begins it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

#: A digest is compared by at least so many digits: OpenMMLab writes eight into the file name.
SHORTEST = 8
_CHUNK = 1 << 20
_DATE = r"20\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"
#: `-81c58e40_20220909.pth` and `_42b7e6e6-20230207.pth`, then `-36af842e.pth`.
_BEFORE_DATE = re.compile(rf"[-_]([0-9a-f]{{8}})[-_]{_DATE}\.\w+$")
_LAST = re.compile(rf"-(?!{_DATE}\.)([0-9a-f]{{8,64}})\.\w+$")
_DIGEST = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits, read a piece at a time.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def matches(digest: str, expected: str) -> bool:
    """Whether `digest` begins with the digits `expected`; no digits match nothing.

    Args:
        digest: 64 hexadecimal digits.
        expected: As many of them as are known.
    """
    return is_digest(expected) and digest.startswith(expected.lower())


def is_digest(text: str) -> bool:
    """Whether `text` is a SHA-256 or enough of the beginning of one."""
    return _DIGEST.fullmatch(text.lower()) is not None


def hash_in_name(file_name: str) -> str:
    """The first digits of the SHA-256 that OpenMMLab writes into a file's name; '' where there are none.

    >>> hash_in_name("hrnet_w32-36af842e.pth")
    '36af842e'
    """
    found = _BEFORE_DATE.search(file_name) or _LAST.search(file_name)
    return found[1] if found else ""
