"""Memory and open files of a training stay what they are; `soak.py` is the long run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def load(name: str):
    """A file beside this one, under its own name."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


load("subject")
soak = load("soak")

STEADY = {"mebibytes": [10.0] + [20.0] * 39, "files": [5] * 40, "step_seconds": [1.0] * 40}


@pytest.mark.parametrize(
    ("name", "values"),
    [("mebibytes", [20.0 + at / 20 for at in range(40)]), ("files", range(40)), ("step_seconds", range(1, 41))],
)
def test_what_grows_is_told(name, values):
    assert all(sound for *_, sound in soak.verdicts(STEADY).values())
    assert [sound for *_, sound in soak.verdicts({**STEADY, name: [*values]}).values()].count(False) == 1


@pytest.mark.slow
def test_memory_and_files_stay(tmp_path):
    measured = soak.measure(420, tmp_path)
    assert len(measured["step_seconds"]) == 420
    found = soak.verdicts(measured)
    assert found["memory (MiB)"][2], found
    assert found["open files"][2], found
