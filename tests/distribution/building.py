"""Source distribution and wheel of this checkout, built from a copy of it and looked into."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: The folders that a wheel carries inside the package.
CARRIED = ("configs", "tools", "requirements")
#: The single files that make up a source distribution, with the folders above and the package.
SINGLE = ("CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "model-index.yml", "pyproject.toml", "setup.py")

_BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".mim", "*.egg-info")


def copy_checkout(target: Path) -> Path:
    """A copy of what a distribution is made from, with the tests, which are not to go into one.

    A build leaves folders of its own beside setup.py, which a checkout is spared.
    """
    target.mkdir(parents=True)
    for name in ("hrnet_plugin", "tests", *CARRIED):
        shutil.copytree(ROOT / name, target / name, ignore=_LEFT_BEHIND)
    for name in SINGLE:
        shutil.copy(ROOT / name, target / name)
    return target


def build(kind: str, source: Path, target: Path) -> Path:
    """Builds with the setuptools of this environment; nothing is fetched.

    Args:
        kind: `sdist` or `wheel`.
        source: The folder with setup.py.
        target: Where to put what was built.
    """
    target.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _BUILD.format(kind=kind), str(target.resolve())]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} of {source} cannot be built:\n{done.stderr[-4000:]}")
    return target / done.stdout.splitlines()[-1]


def unpack(sdist: Path, target: Path) -> Path:
    """The folder with setup.py out of a source distribution."""
    with tarfile.open(sdist) as archive:
        archive.extractall(target, filter="data")
    (folder,) = target.iterdir()
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    """Every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def contents_of_folder(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path from it."""
    return {name: (folder / name).read_bytes() for name in files_below(folder)}


def files_below(folder: Path) -> Iterator[str]:
    """Every file of a folder, as a path from it."""
    return (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())


def packaged(source: Path) -> set[str]:
    """The package's own files: modules and templates."""
    found = {f"hrnet_plugin/{name}" for name in files_below(source / "hrnet_plugin")}
    return {name for name in found if name.endswith((".py", ".j2"))}


def carried(source: Path) -> set[str]:
    """What travels inside the package: every file of the folders, and the index of models."""
    return {f"{folder}/{name}" for folder in CARRIED for name in files_below(source / folder)} | {"model-index.yml"}
