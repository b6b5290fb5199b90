"""The fixes stand before a test file imports a framework, also where it runs by itself; trainings as fixtures."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
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


@pytest.fixture
def run_processes(project_root: Path, tmp_path: Path) -> Callable[[str, int], list[str]]:
    """`run_processes(code, count)`: what each of several processes prints, given its rank and a file to meet at."""

    def run(code: str, count: int) -> list[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(project_root)}
        processes = [
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", code, str(rank), str(tmp_path / "store")],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(count)
        ]
        told = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * count
        return told

    return run
