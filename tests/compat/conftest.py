"""Environments that are broken on purpose, and what happens in them with and without the fixes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _clean_environment(*paths: Path) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TORCH", "SLURM"))}
    environment.update(
        PYTHONPATH=os.pathsep.join(str(path) for path in paths),
        OMP_NUM_THREADS="1",
        CUDA_VISIBLE_DEVICES="",
        PYTHONDONTWRITEBYTECODE="1",
    )
    return environment


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess]:
    """Runs Python in a new process: `run(arguments, site=None)`.

    With `site`, that folder takes the place of the environment's packages.
    """

    def run(arguments: Sequence[str], site: Path | None = None, folder: Path | None = None):
        flags = [] if site is None else ["-S"]
        paths = [ROOT] if site is None else [site, ROOT]
        return subprocess.run(
            [sys.executable, *flags, *arguments],
            env=_clean_environment(*paths),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


@pytest.fixture(scope="session")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A folder with the environment's packages, as links: `make(hide=("six", "mmcv/_ext*"))` leaves some out."""

    def make(hide: Sequence[str] = ()) -> Path:
        site = tmp_path_factory.mktemp("site")
        for folder in sys.path:
            if Path(folder).name in ("site-packages", "dist-packages"):
                for entry in Path(folder).iterdir():
                    if not (site / entry.name).exists() and not entry.name.endswith(".pth"):
                        _link(site, entry, hide)
        return site

    return make


def _link(site: Path, entry: Path, hide: Sequence[str]) -> None:
    if any(entry.match(pattern) for pattern in hide if "/" not in pattern):
        return
    inner = [pattern.partition("/")[2] for pattern in hide if pattern.partition("/")[::2][0] == entry.name]
    if "/".join(inner) == "":
        (site / entry.name).symlink_to(entry)
        return
    (site / entry.name).mkdir()
    for child in entry.iterdir():
        if not any(child.match(pattern) for pattern in inner):
            (site / entry.name / child.name).symlink_to(child)


@pytest.fixture(scope="session")
def broken_site(make_site: Callable[..., Path]) -> Path:
    """The environment as a light, badly matched set-up: no compiled operators, no pkg_resources."""
    return make_site(
        hide=("pkg_resources", "setuptools", "_distutils_hack", "mmcv/_ext*", "torchvision/_C*", "torchvision/image*")
    )


@pytest.fixture(scope="session")
def full_site(make_site: Callable[..., Path]) -> Path:
    """The environment with a module in the place of mmcv's compiled one that answers to every name."""
    site = make_site(hide=("mmcv/_ext*",))
    (site / "mmcv" / "_ext.py").write_text("def __getattr__(name):\n    return lambda *args: f'the real {name}'\n")
    return site


def _probe(run_python, site: Path, folder: Path, *arguments: str) -> dict[str, dict]:
    script = Path(__file__).parent / "probe.py"
    done = run_python([str(script), *arguments], site=site, folder=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def unfixed(run_python, broken_site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What each probe gives without hrnet_plugin: `result`, `error` and `warnings` by the probe's name."""
    return _probe(run_python, broken_site, tmp_path_factory.mktemp("unfixed"))


@pytest.fixture(scope="session")
def fixed(run_python, broken_site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """The same with hrnet_plugin imported first."""
    return _probe(run_python, broken_site, tmp_path_factory.mktemp("fixed"), "hrnet_plugin")
