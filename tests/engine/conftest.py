"""The fixes stand before a test file imports a framework, also where it runs by itself; trainings as fixtures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import hrnet_plugin  # noqa: F401


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """`resuming/small_training.py`: test files import nothing from each other."""
    path = Path(__file__).parent / "resuming/small_training.py"
    spec = importlib.util.spec_from_file_location("small_training", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
