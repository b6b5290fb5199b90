"""albumentations asks the network for a newer version of itself whenever it is imported, and mmpose imports it.

What broke: every start of a program waits for an answer, and without a network prints `UserWarning: Error fetching
version info`. Only where albumentations is installed, which two published configs need.
Since albumentations 1.4.
Detected: the variable that forbids it, `NO_ALBUMENTATIONS_UPDATE`, is not set.
Done: it is set while albumentations is imported.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from .fix import DuringImport, Finding

_VARIABLE = "NO_ALBUMENTATIONS_UPDATE"


def _detect() -> Finding:
    if _VARIABLE in os.environ:
        return Finding(False, f"{_VARIABLE} is set")
    return Finding(True, "its import would ask the network for a newer version")


@contextlib.contextmanager
def _forbidden() -> Iterator[None]:
    os.environ[_VARIABLE] = "1"
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)


FIX = DuringImport(
    name="albumentations-update",
    breakage="import albumentations asks the network for a newer version",
    since="albumentations 1.4",
    target="albumentations",
    detect=_detect,
    context=_forbidden,
)
