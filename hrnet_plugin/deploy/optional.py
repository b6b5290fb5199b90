"""Packages that only some formats and runtimes need, imported where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import MissingDependency


def need(module: str, purpose: str, *packages: str) -> ModuleType:
    """Imports an optional package.

    Args:
        module: To import.
        purpose: What needs it, as the user asked for it.
        packages: To install, where they are called otherwise or are several.

    Raises:
        MissingDependency: it is not installed; names the command.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingDependency(
            purpose,
            found=f"no module named {error.name!r}",
            expected=f"{module} installed",
            do=f"`pip install {' '.join(packages or (module,))}`",
        ) from error
