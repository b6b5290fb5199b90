"""Configs of the installed frameworks, and one folder of miniature data for all tests."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.config import Config


@pytest.fixture(scope="session")
def upstream() -> Callable[[str], Config]:
    """A config of an installed framework by its address: `mmpose::folder/name.py`. Not to be changed."""

    @functools.cache
    def read(address: str) -> Config:
        framework, _, path = address.partition("::")
        return Config.fromfile(Path(importlib.util.find_spec(framework).origin).parent / ".mim" / "configs" / path)

    return read


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where miniature data are written, once for all tests."""
    return tmp_path_factory.mktemp("miniature")
