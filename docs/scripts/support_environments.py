"""The environments of the support table: which versions, how they are made, and what cannot be made and why.

An environment differs from the one of `make setup` in a few packages. Those are installed into a folder of its own;
the rest is taken from there through a line in a .pth file, so that torch is not installed again.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: Equality with the installed frameworks, the fixes, checkpoints, trainings and tests by command.
QUICK = (
    *("tests/archs", "tests/models/test_parity.py", "tests/models/test_necks.py", "tests/compat/test_checkpoints.py"),
    *("tests/compat/test_framework_bases.py", "tests/compat/test_cpu_amp.py", "tests/cli/test_main.py"),
    *("tests/cli/test_train.py", "tests/cli/test_test.py"),
)
#: What runs on compiled operators, two-stage detectors and deformable heads among it.
_TRAIN_STEP = "tests/zoo/test_train_step.py"
COMPILED = (
    *("tests/cli/test_operators.py", "tests/compat/test_mmcv_ext.py"),
    f"{_TRAIN_STEP}::test_what_needs_full_mmcv_says_so",
    f"{_TRAIN_STEP}::test_deformable_heads_train_with_full_mmcv",
)
#: What runs without torch.
WITHOUT_TORCH = ("tests/archs", "tests/published", "tests/reports", "tests/test_findings.py", "tests/test_structure.py")
#: Packages whose versions the table shows.
SHOWN = ("torch", "mmengine", "mmcv", "mmcv-lite", "mmpose", "mmsegmentation", "mmdet", "mmpretrain", "numpy")
_YEAR = {"mmpose": "1.1.0", "mmsegmentation": "1.1.2", "mmdet": "3.1.0", "mmpretrain": "1.0.2"}


@dataclass(frozen=True)
class Environment:
    """One row of the table.

    Args:
        name: What is different, in a few words.
        versions: Packages in the place of those of `make setup`, installed without dependencies.
        python: Version of the interpreter, as far as it matters.
        tests: What of the suite is run.
        base: Whether it takes the rest from the environment of `make setup`; otherwise it has `runtime.txt`,
            `test.txt` and `openmmlab.txt` alone, without torch.
        full: Whether it is the environment of `make full`.
    """

    name: str
    versions: Mapping[str, str] = field(default_factory=dict)
    python: str = "3.11"
    tests: tuple[str, ...] = QUICK
    base: bool = True
    full: bool = False


ENVIRONMENTS = (
    Environment("as tested"),
    Environment("full mmcv", full=True, tests=(*QUICK, *COMPILED)),
    Environment("mmcv-lite 2.0.1", {"mmcv-lite": "2.0.1"}),
    Environment("mmcv-lite 2.2.0", {"mmcv-lite": "2.2.0"}),
    Environment("mmengine 0.8.5", {"mmengine": "0.8.5"}),
    Environment("the set of mid-2023", {"mmengine": "0.8.5", "mmcv-lite": "2.0.1", **_YEAR}),
    Environment("Python 3.10, no torch", python="3.10", tests=WITHOUT_TORCH, base=False),
    Environment("Python 3.12, no torch", python="3.12", tests=WITHOUT_TORCH, base=False),
    Environment("Python 3.13, no torch", python="3.13", tests=WITHOUT_TORCH, base=False),
)
#: What nobody ran, and why.
NOT_RUN = (
    (
        "another torch than 2.13.0",
        "those looked at (2.6.0 and 2.12.1, and 2.13.0 for Python 3.10 and 3.12) are builds for CUDA, of 530 to 770 MB "
        "without its libraries; a build for the CPU was at hand of 2.13.0 for Python 3.11 alone",
    ),
    ("torch on Python 3.10 and 3.12", "the same: only what needs no torch was run there"),
    ("torch before 2.6", "`make setup` replaces it: it cannot load checkpoints safely with an allow-list"),
    ("Python 3.9 and before, 3.14 and later", "`python_requires` leaves them out"),
    ("full mmcv of another version than 2.1.0", "each is compiled from source; one was"),
    ("CUDA, ROCm, Apple's GPUs", "the machine has none"),
    ("Windows, macOS, Linux on ARM", "the machine runs Linux on x86-64"),
)


class CannotBeMade(Exception):
    """pip refuses the packages of an environment; its last words are the reason."""


def make(environment: Environment, folder: Path, base: Path, full: Path, pythons: Mapping[str, str]) -> Path:
    """Makes an environment, or finds the one that is meant; returns its interpreter.

    Args:
        environment: What it is to hold.
        folder: Where to make it.
        base, full: Interpreters of the environments of `make setup` and `make full`.
        pythons: Interpreters by the version that they have, for those other than the base's.

    Raises:
        CannotBeMade: there is no such interpreter, or pip does not find the packages for it.
    """
    if environment.full:
        return _there(full, "the environment of `make full` was not made")
    if environment.base and not environment.versions:
        return base
    if environment.base:
        creator = os.path.realpath(base)
    else:
        creator = _there(pythons.get(environment.python), f"there was no Python {environment.python}")
    _checked([str(creator), "-m", "venv", str(folder)])
    python = folder / "bin/python"
    if not environment.base:
        lines = [line for name in ("runtime", "test") for line in _requirements(name)]
        _checked([*_pip(python), "--only-binary", ":all:", *lines])
        # Tests compare with the frameworks' configs and indexes, which are read without being imported.
        _checked([*_pip(python), "--no-deps", *_requirements("openmmlab")])
        return python
    line = f"{_site(base)}\n"
    (_site(python) / "rest.pth").write_text(line, encoding="utf-8")
    _checked([*_pip(python), "--no-deps", *(f"{name}=={version}" for name, version in environment.versions.items())])
    return python


def found_versions(python: Path) -> dict[str, str]:
    """Versions of the packages that the table shows, and of Python, as that interpreter finds them."""
    code = (
        "import importlib.metadata as m, json, platform, sys\nfound = {'python': platform.python_version()}\n"
        "for name in sys.argv[1:]:\n    try: found[name] = m.version(name)\n"
        "    except m.PackageNotFoundError: pass\nprint(json.dumps(found))"
    )
    done = subprocess.run([str(python), "-c", code, *SHOWN], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def _there(python: Path | str | None, otherwise: str) -> Path:
    if python is None or not Path(python).exists():
        raise CannotBeMade(otherwise)
    return Path(python)


def _pip(python: Path) -> list[str]:
    return [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")] or done.stderr.splitlines()
        raise CannotBeMade(f"pip: {told[-1].removeprefix('ERROR: ')}" if told else f"exit status {done.returncode}")


def _site(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def _requirements(name: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
