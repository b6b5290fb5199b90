"""The pages of docs/, what stands in them, and folders to run it in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "docs/scripts"))


@pytest.fixture(scope="session")
def docs() -> Path:
    """The folder docs/."""
    return ROOT / "docs"


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on networks this small."""


@pytest.fixture(autouse=True)
def _unformatted_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    """mmengine formats the config anew for each file it writes, which takes as long as the rest of a tiny run."""
    monkeypatch.setattr("mmengine.config.config.FormatCode", lambda text, **options: (text, False))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks as a checkout does to somebody who follows a page: the current one, with configs/ in it."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


@pytest.fixture
def run_python(checkout: Path) -> Callable[..., str]:
    """Runs Python with these arguments in the checkout; returns what it prints."""

    def run(*arguments: str) -> str:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=300, env=environment, cwd=checkout
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run
