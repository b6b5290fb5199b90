"""Properties that must hold for whatever is read: see `bounds.py` for what is promised, `effort.py` for how many."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from effort import register_profiles

register_profiles()


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on tensors this small."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the examples of a test write, one over the other."""
    return tmp_path
