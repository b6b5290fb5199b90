"""Freed memory that stays with the process: on a CPU, each step then finds it where the last one left it.

glibc hands large blocks back to the system when they are freed. A training step frees its activations at the end, and
the next one has the same pages given to it again, zeroed one by one.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hrnet_plugin.registry import HOOKS

#: Parameters of glibc's `mallopt`, from its malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
#: What they are once glibc has seen large blocks come and go: it raises its thresholds to these by itself.
_USUAL = {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 32 * 2**20, _TRIM_THRESHOLD: 64 * 2**20}
#: No block apart from the heap, and a heap that does not shrink.
_KEPT = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}


def keep_freed_memory(keep: bool = True) -> bool:
    """Keeps what is freed from now on, or hands it back as usual.

    Returns:
        Whether it could be said: on Linux with glibc.
    """
    library = _glibc()
    if library is None:
        return False
    answers = {library.mallopt(name, value) for name, value in (_KEPT if keep else _USUAL).items()}
    return answers == {1}


@cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version") else None


@HOOKS.register_module()
class KeepMemoryHook(Hook):
    """Keeps freed memory for the next step while a network is trained; of no effect but on Linux with glibc."""

    def before_train(self, runner: Runner) -> None:
        """From the first step on."""
        keep_freed_memory()

    def after_train(self, runner: Runner) -> None:
        """Back to what is usual."""
        keep_freed_memory(False)
