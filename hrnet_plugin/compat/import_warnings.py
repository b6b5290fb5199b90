"""Warnings that importing the stack prints and that no user can act on.

What broke: pkg_resources (setuptools 67.5 to 80) warns that it will be removed; torch 2.13's own
`torch.distributed.optim` uses the deprecated `torch.jit.script`; mmpose imports a name from where mmcv 2.0 no longer
wants it imported. The first is printed to everybody, the others with `-W`. Since when stands beside each below.
Detected: the module that warns is being imported.
Done: the very message is ignored while that very module is executed; every other warning, and the same message from
anywhere else, stays.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator

from .fix import DuringImport, Finding


@contextlib.contextmanager
def ignored(message: str, category: type[Warning]) -> Iterator[None]:
    """Ignores one warning, by the regular expression that its message starts with, inside the block."""
    warnings.filterwarnings("ignore", message=message, category=category)
    added = warnings.filters[0]
    try:
        yield
    finally:
        # Not catch_warnings: it would also take back the filters that the imported modules set for themselves.
        with contextlib.suppress(ValueError):
            warnings.filters.remove(added)


def _fix(name: str, target: str, since: str, message: str, category: type[Warning]) -> DuringImport:
    return DuringImport(
        name=name,
        breakage=f"import {target} prints a {category.__name__}",
        since=since,
        target=target,
        detect=lambda: Finding(True, f"its {category.__name__} is not shown"),
        context=functools.partial(ignored, message, category),
    )


FIXES = (
    _fix(
        "quiet-pkg-resources",
        "pkg_resources",
        "setuptools 67.5",
        "pkg_resources is deprecated as an API",
        UserWarning,
    ),
    _fix(
        "quiet-torch-jit",
        "torch.distributed.optim",
        "torch 2.13 (or before)",
        r"`torch\.jit\.(script|interface)` is deprecated",
        DeprecationWarning,
    ),
    _fix(
        "quiet-mmcv-moved",
        "mmcv.cnn.bricks.transformer",
        "mmcv 2.0",
        "``MultiScaleDeformableAttention`` has been moved",
        ImportWarning,
    ),
)
