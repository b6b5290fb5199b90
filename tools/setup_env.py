"""Makes the environment that `make demo` and `make test` run in. Needs nothing but Python.

What is there already is kept: an existing environment is completed, and a torch that the chosen interpreter has is
used instead of a new one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD_TOOLS = ("setuptools<81", "wheel", "ninja", "psutil")


def requirements(name: str) -> list[str]:
    """The lines of `requirements/<name>.txt`, less comments."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def has_module(python: Path | str, module: str) -> bool:
    """Whether `python` can find `module`, without importing it."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0


def is_too_old(python: Path | str) -> bool:
    """Whether torch is older than 2.6, the first that loads checkpoints safely with an allow-list of names."""
    code = "import importlib.metadata as m, sys; sys.exit([*map(int, m.version('torch').split('.')[:2])] < [2, 6])"
    return subprocess.run([str(python), "-c", code], check=False).returncode != 0


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:4.0f} s] {text}", flush=True)


def run(*command: object, **environment: str) -> None:
    """Runs a command and ends the set-up where it fails."""
    done = subprocess.run([str(part) for part in command], env={**os.environ, **environment}, check=False)
    if done.returncode:
        sys.exit(f"set-up failed (exit {done.returncode}): {' '.join(str(part) for part in command)}")


def create(python: str, venv: Path) -> Path:
    """The interpreter of the environment at `venv`, made first where there is none."""
    inside = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    if inside.exists():
        say(f"using the environment {venv}")
        return inside
    kept = has_module(python, "torch")
    say(f"making {venv} with {python}" + (", which has torch already" if kept else ""))
    run(python, "-m", "venv", *(["--system-site-packages"] if kept else []), venv)
    return inside


def install(python: Path, full: bool) -> None:
    """Completes the environment of `python`; with `full`, mmcv's operators are compiled."""
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    for line in requirements("torch"):
        name = line.partition("==")[0]
        if has_module(python, name) and not (name == "torch" and is_too_old(python)):
            say(f"{name}: the installed one is kept")
            continue
        say(f"installing {line}")
        run(*pip, *(["--no-deps"] if name != "torch" else []), line)
    say("installing the other packages")
    parts = ("runtime", "openmmlab_needs", "deploy", "test", "docs")
    run(*pip, *(line for part in parts for line in requirements(part)))
    frameworks = requirements("openmmlab")
    if full:
        mmcv = next(line for line in frameworks if line.startswith("mmcv-lite")).replace("mmcv-lite", "mmcv")
        frameworks = [line for line in frameworks if not line.startswith("mmcv-lite")]
        say(f"compiling {mmcv}: about 7 minutes on two cores")
        run(*pip, *BUILD_TOOLS)
        run(*pip, "--no-deps", "--no-build-isolation", "--no-binary", "mmcv", mmcv, MMCV_WITH_OPS="1")
    say("installing the frameworks")
    run(*pip, "--no-deps", *frameworks, *requirements("test_no_deps"))
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)


def main() -> None:
    """Reads the command line, makes the environment, leaves the marker that make looks at."""
    if not (3, 10) <= sys.version_info[:2] <= (3, 12):
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"set-up: found Python {found}, expected 3.10 to 3.12. Choose another one with PYTHON=")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter for a new environment")
    parser.add_argument("--venv", type=Path, required=True, help="folder of the environment")
    parser.add_argument("--full", action="store_true", help="compile full mmcv instead of taking mmcv-lite")
    args = parser.parse_args()
    python = create(args.python, args.venv)
    install(python, args.full)
    (args.venv / ".hrnet_plugin").touch()
    say("ready")


if __name__ == "__main__":
    STARTED = time.monotonic()
    main()
