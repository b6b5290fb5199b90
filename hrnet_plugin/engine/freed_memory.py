"""What becomes of freed memory on a CPU: kept for the next step, or handed back to the system at once.

glibc takes large blocks from a heap of its own, and hands its end back when enough of it is free. A training step frees
its activations at the end, and the next one has the same pages given to it again, zeroed one by one: keeping them saves
time. But blocks of many sizes that come and go leave holes in a heap, in which half of a process's memory may lie where
activations are computed again: large blocks apart from the heap go back as soon as they are freed.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import HOOKS

#: Parameters of glibc's `mallopt`, from its malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_WAYS = {
    # What glibc comes to by itself once it has seen large blocks come and go.
    "usual": {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 32 * 2**20, _TRIM_THRESHOLD: 64 * 2**20},
    # No block apart from the heap, and a heap that does not shrink.
    "keep": {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1},
    # Of W48 the features of the highest resolution; of smaller blocks the new pages would cost more time.
    "return": {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 4 * 2**20, _TRIM_THRESHOLD: 64 * 2**20},
}


def treat_freed_memory(how: str) -> bool:
    """Keeps what is freed from now on, hands large blocks back at once, or does as usual.

    Args:
        how: `keep`, `return` or `usual`.

    Returns:
        Whether it could be said: on Linux with glibc.

    Raises:
        ConfigError: another word.
    """
    if how not in _WAYS:
        raise ConfigError("freed memory", found=repr(how), expected=" or ".join(_WAYS))
    library = _glibc()
    return library is not None and {library.mallopt(name, value) for name, value in _WAYS[how].items()} == {1}


@cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version") else None


@HOOKS.register_module()
class FreedMemoryHook(Hook):
    """Says what becomes of freed memory while a network is trained; of no effect but on Linux with glibc.

    Args:
        how: `keep` for the next step, which saves time, or `return` large blocks at once, which saves memory.

    Raises:
        ConfigError: another word.
    """

    def __init__(self, how: str = "keep"):
        if how not in _WAYS:
            raise ConfigError("FreedMemoryHook", found=f"how={how!r}", expected=" or ".join(map(repr, _WAYS)))
        self.how = how

    def before_train(self, runner: Runner) -> None:
        """From the first step on."""
        treat_freed_memory(self.how)

    def after_train(self, runner: Runner) -> None:
        """Back to what is usual."""
        treat_freed_memory("usual")
