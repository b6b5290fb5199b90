"""Stands in for `mmcv._ext` on mmcv-lite: every operator is there, and says so when it is called that it is not.

mmcv asks for the operators by name at import (`hasattr`), and calls them only when a layer runs.
"""

from __future__ import annotations

from collections.abc import Callable

from hrnet_plugin.compat.mmcv_ext import full_mmcv_needed

# mmcv's environment report calls these two and expects words.
_VERSIONS = ("get_compiler_version", "get_compiling_cuda_version")


def _version() -> str:
    return "n/a"


def _missing(name: str) -> Callable[..., None]:
    def operator(*args: object, **kwargs: object) -> None:
        raise full_mmcv_needed(f"mmcv operator {name!r}")

    operator.__name__ = operator.__qualname__ = name
    return operator


def __getattr__(name: str) -> Callable:
    if name.startswith("__"):
        raise AttributeError(name)
    return _version if name in _VERSIONS else _missing(name)
