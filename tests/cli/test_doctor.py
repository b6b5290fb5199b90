from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

import pytest

from hrnet_plugin.cli import doctor
from hrnet_plugin.compat import FIXES
from hrnet_plugin.compat.inventory import Package


def run(project_root, arguments=(), flags=()) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(project_root), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *flags, "-m", "hrnet_plugin", "doctor", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def here(project_root) -> dict:
    """The findings about the environment that the tests run in."""
    done = run(project_root, ["--json"])
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def bare(project_root) -> subprocess.CompletedProcess:
    """What the doctor says with Python alone."""
    return run(project_root, flags=["-S"])


def test_a_whole_environment_is_healthy(here):
    assert here["ok"] is True
    assert here["commands"]["needed"] == []
    rows = {row["name"]: row for row in here["packages"]}
    for name in ("torch", "mmengine", "mmcv-lite", "mmpose", "mmsegmentation", "mmdet", "mmpretrain", "numpy", "six"):
        assert rows[name]["found"], name
        assert rows[name]["state"] in ("ok", "differs"), name
    assert rows["mmpose"]["expected"] == "==1.3.2"


def test_everything_is_imported_so_that_every_fix_has_spoken(here):
    modules = {row["module"] for row in here["imports"]}
    assert {"mmpose.models", "mmseg.models", "mmdet.models", "mmpretrain.models", "torchvision", "mmcv.ops"} <= modules
    assert [row for row in here["imports"] if row["error"]] == []
    states = {fix["name"]: fix["state"] for fix in here["fixes"]}
    assert set(states) == {fix.name for fix in FIXES}
    assert set(states.values()) <= {"applied", "not needed"}
    assert states["checkpoint-allow-list"] == "applied"
    assert all(fix["why"] for fix in here["fixes"])


def test_the_machine_is_described(here):
    assert int(here["hardware"]["CPU threads"].partition(",")[0]) == os.cpu_count()
    assert here["hardware"]["CUDA devices"]
    assert here["hardware"]["bfloat16"]


def test_with_python_alone_it_names_all_that_is_missing_and_the_commands(bare):
    assert bare.returncode == 1
    assert bare.stderr == ""
    commands = [line.strip() for line in bare.stdout.splitlines() if " -m pip install " in line]
    assert len(commands) == 3
    assert all(command.startswith(sys.executable) for command in commands)
    assert " torch==2.13.0 'numpy>=1.23,<2' " in commands[0]
    assert " six " in commands[0]
    assert "--no-deps torchvision==0.28.0 mmengine==0.10.7 mmcv-lite==2.1.0 mmpose==1.3.2" in commands[1]
    optional = bare.stdout.partition("Not needed so far")[2]
    assert commands[2] in optional
    assert {"ncnn", "nncf", "onnx", "onnxruntime", "openvino"} <= set(commands[2].split())
    assert "Something needed is missing or broken." in bare.stdout
    assert "Fixes for what upstream broke" in bare.stdout


def package(name: str, source: str, found: str | None = "1.0", version: str = "fits", spec: str = "") -> Package:
    return Package(name, spec, source, name if found else None, found, version if found else "missing")


@pytest.fixture
def examine(monkeypatch):
    """The findings about packages that are only said to be there, with the given import errors."""

    def examine(*packages: Package, errors: dict[str, str] | None = None) -> dict:
        whole = [package("torch", "torch"), package("numpy", "runtime"), package("mmengine", "openmmlab")]
        whole += [package("mmcv-lite", "openmmlab"), package("mmpose", "openmmlab"), package("six", "openmmlab_needs")]
        chosen = {row.name: row for row in (*whole, *packages)}

        def import_module(name: str) -> None:
            if name in (errors or {}):
                raise ImportError(errors[name] + "\nand more lines")

        monkeypatch.setattr(doctor, "inspect_packages", lambda folder: list(chosen.values()))
        monkeypatch.setattr(doctor, "installed", lambda name: [])
        monkeypatch.setattr(doctor.importlib, "import_module", import_module)
        return doctor.examine()

    return examine


def state(findings: dict, name: str) -> str:
    return next(row["state"] for row in findings["packages"] if row["name"] == name)


def test_all_there_is_well(examine):
    findings = examine()
    assert findings["ok"] is True
    assert findings["commands"] == {"needed": [], "optional": []}


@pytest.mark.parametrize(
    ("name", "source"),
    [("torch", "torch"), ("numpy", "runtime"), ("mmengine", "openmmlab"), ("mmcv-lite", "openmmlab")],
)
def test_what_is_needed_and_missing_is_an_error(examine, name, source):
    findings = examine(package(name, source, found=None))
    assert findings["ok"] is False
    assert state(findings, name) == "missing"
    assert name in findings["commands"]["needed"][0]


def test_one_framework_is_enough(examine):
    findings = examine(package("mmsegmentation", "openmmlab", found=None, spec="==1.2.2"))
    assert findings["ok"] is True
    assert state(findings, "mmsegmentation") == "optional"
    assert findings["commands"]["optional"] == [f"{sys.executable} -m pip install --no-deps mmsegmentation==1.2.2"]


def test_the_runtimes_are_never_needed(examine):
    findings = examine(package("openvino", "deploy", found=None), errors={"mmpose.datasets": "No module named 'six'"})
    assert state(findings, "openvino") == "optional"
    assert findings["commands"]["optional"] == [f"{sys.executable} -m pip install openvino"]


def test_mmpose_needs_mmdet_which_one_of_its_heads_imports(examine):
    findings = examine(package("mmdet", "openmmlab", found=None, spec="==3.3.0"))
    assert findings["ok"] is False
    assert state(findings, "mmdet") == "missing"
    assert findings["commands"]["needed"] == [f"{sys.executable} -m pip install --no-deps mmdet==3.3.0"]


def test_no_framework_is_an_error(examine):
    findings = examine(package("mmpose", "openmmlab", found=None))
    assert findings["ok"] is False
    assert state(findings, "mmpose") == "missing"


def test_a_framework_that_does_not_import_makes_its_needs_needed(examine):
    missing = package("six", "openmmlab_needs", found=None)
    assert examine(missing)["ok"] is True
    findings = examine(missing, errors={"mmpose.datasets": "No module named 'six'"})
    assert findings["ok"] is False
    assert (state(findings, "mmpose"), state(findings, "six")) == ("failed", "missing")
    assert findings["commands"]["needed"] == [f"{sys.executable} -m pip install six"]
    errors = [row["error"] for row in findings["imports"] if row["error"]]
    assert errors == ["ImportError: No module named 'six'"]


def test_numpy_2_is_named_where_a_wheel_breaks_on_it(examine):
    numpy = package("numpy", "runtime", found="2.3.0", version="differs", spec=">=1.23,<2")
    coco = package("xtcocotools", "openmmlab_needs")
    assert examine(numpy, coco)["ok"] is True
    errors = dict.fromkeys(("xtcocotools.coco", "mmpose.datasets"), "numpy.dtype size changed")
    findings = examine(numpy, coco, errors=errors)
    assert findings["ok"] is False
    assert state(findings, "xtcocotools") == "failed"
    assert f"{sys.executable} -m pip install 'numpy>=1.23,<2'" in findings["commands"]["needed"]


def test_a_torch_that_is_there_is_kept(examine):
    findings = examine(package("torch", "torch", found="2.9.0", version="differs", spec="==2.13.0"))
    assert (findings["ok"], state(findings, "torch")) == (True, "differs")
    assert findings["commands"] == {"needed": [], "optional": []}


def test_a_fix_that_failed_is_an_error(examine, monkeypatch):
    from hrnet_plugin.compat.fix import Report

    monkeypatch.setattr(doctor, "reports", lambda: {"mmcv-ext": Report("failed", "KeyError: 'x'")})
    assert examine()["ok"] is False


def test_tables_and_status(examine, capsys, monkeypatch):
    findings = examine(package("numpy", "runtime", found=None))
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    assert doctor.run(parser.parse_args([])) == 1
    printed = capsys.readouterr().out
    for words in ("Machine", "Packages", "numpy", "missing", "mmcv-ext", "To mend it, run:", "pip install numpy"):
        assert words in printed
    assert doctor.run(parser.parse_args(["--json"])) == 1
    assert json.loads(capsys.readouterr().out) == findings
