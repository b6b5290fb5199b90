"""What is promised of every input: a result or one clear line, within bounded time and memory."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from hrnet_plugin.errors import UserError

Result = TypeVar("Result")

MB = 2**20
#: Beyond what the process has: of addresses, and of memory that is really written.
_ADDRESSES, _MEMORY = 1024 * MB, 192 * MB
#: What the pixels of one image may take: Pillow unpacks up to 179 million, which a file of a few bytes may claim.
PIXELS = _ADDRESSES
#: So long that no machine is too slow, so short that an endless wait is noticed.
_SECONDS = 60
_LONGEST_LINE = 2500


def outcome(call: Callable[[], Result], memory: int = _MEMORY) -> Result | UserError:
    """What a call returns, or the one line with which it refuses its input.

    Raises:
        AssertionError: the line is none, or the call needed more memory.
        BaseException: anything else that the call raised: a crash.
    """
    with _bounded():
        before = _peak(reset=True)
        try:
            found = call()
        except UserError as error:
            found = error
            check_line(str(error))
        grown = _peak() - before
    assert grown <= memory, f"{grown / MB:.0f} MB"
    return found


def check_line(line: str) -> None:
    """An error of one line that can be printed anywhere."""
    assert line.strip()
    assert line.isprintable(), line
    assert len(line) <= _LONGEST_LINE, f"{len(line)} characters: {line[:200]}"
    assert "Traceback" not in line


@contextmanager
def _bounded() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, _too_long)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + _ADDRESSES, hard))
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _too_long(number: int, frame: object) -> None:
    raise AssertionError(f"no end after {_SECONDS} s")


def _peak(reset: bool = False) -> int:
    """The most memory that the process has had, in bytes, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmHWM")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
