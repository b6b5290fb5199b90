"""The most memory that a process has held, from a moment on."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def held_now() -> int:
    """Bytes of resident memory of this process; 0 where the system does not tell."""
    return _status("VmRSS")


def forget_peak() -> None:
    """Lets the highest resident memory be counted from now on, where the system can (Linux)."""
    if _CLEAR.exists():
        try:
            _CLEAR.write_text("5", encoding="ascii")
        except OSError:
            return  # a system that hides it: the peak is then that of the whole process


def peak() -> int:
    """Bytes of resident memory at the highest since :func:`forget_peak`."""
    found = _status("VmHWM")
    if found:
        return found
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(field: str) -> int:
    if not _STATUS.exists():
        return 0
    found = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
