"""Faults injected into a training: each keeps what is promised. `run_faults.py` is the full run."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent


def load(name: str) -> ModuleType:
    """A file beside this one, under its own name: `scenarios` imports `subject`."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


subject = load("subject")
scenarios = load("scenarios")

#: What a scenario needs beyond Python.
MOUNTS = ("full_disk", "read_only")
NAMESPACES = ("no_network", "two_machines", "no_common_disk", "cut_link", "cut_in_validation")


def allowed(*command: str) -> bool:
    """Whether a command of the system may be run here."""
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def training(tmp_path_factory, project_root):
    """The training that all scenarios are done to; each in a work dir of its own."""
    return subject.Subject(tmp_path_factory.mktemp("faults") / "subject", project_root)


@pytest.mark.slow
@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_fault(name, training):
    if name in MOUNTS and os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    if name in NAMESPACES and not allowed("unshare", "--net", "true"):
        pytest.skip("network namespaces may not be made here")
    if name in NAMESPACES[1:] and not allowed("ip", "netns", "list"):
        pytest.skip("ip (iproute2) is not installed")
    outcome = scenarios.SCENARIOS[name](training, random.Random(7), 3)
    assert outcome.survived == outcome.tried >= 1
    assert outcome.lost == 0
    assert outcome.repeated <= subject.INTERVAL
