"""The house rules that can be checked by reading: which way imports run, and that importing costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "hrnet_plugin"
FRAMEWORKS = {"mmengine", "mmcv", "mmpose", "mmseg", "mmdet", "mmpretrain"}
#: Which rooms of the package each room may import from; the files beside the rooms are open to all.
ALLOWED = {
    "archs": set(),
    "nets": {"archs"},
    "compat": set(),
    "published": set(),
    "decoding": set(),
    "checkpoints": {"archs", "nets", "compat"},
    "models": {"archs", "nets", "published", "checkpoints"},
    "data": {"archs"},
    "analysis": {"archs", "nets", "models", "data"},
    "reports": set(),
    "inspection": {"archs", "nets", "models", "data", "analysis", "reports"},
    "engine": {"archs", "nets", "models", "published", "checkpoints", "data", "decoding"},
}
ALLOWED["engine"] |= {"analysis", "reports", "inspection"}
ALLOWED["zoo"] = set(ALLOWED)
ALLOWED["checks"] = set(ALLOWED)
ALLOWED["deploy"] = set(ALLOWED)
ALLOWED["inference"] = set(ALLOWED)
ALLOWED["bench"] = set(ALLOWED)
ALLOWED["cli"] = set(ALLOWED)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, absolute, whether at its top or inside a function."""
    found = set()
    package = ("hrnet_plugin", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {f"{module}.{alias.name}" for alias in node.names} | {module}
    return found


def files(room: str) -> list[Path]:
    """The files of a room; there must be some."""
    found = sorted((PACKAGE / room).rglob("*.py"))
    assert found
    return found


def test_the_rooms_are_those_of_the_picture():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_run_one_way(room):
    for path in files(room):
        for module in imports(path):
            parts = module.split(".")
            if parts[0] == "hrnet_plugin" and len(parts) > 1 and (PACKAGE / parts[1]).is_dir():
                assert parts[1] in ALLOWED[room] | {room}, f"{path} imports {module}"


@pytest.mark.parametrize("path", files("archs"), ids=lambda path: path.stem)
def test_archs_know_no_torch(path):
    assert not {module.split(".")[0] for module in imports(path)} & ({"torch", "numpy"} | FRAMEWORKS)


@pytest.mark.parametrize("path", files("nets"), ids=lambda path: path.stem)
def test_nets_know_no_framework(path):
    assert not {module.split(".")[0] for module in imports(path)} & FRAMEWORKS


@pytest.mark.parametrize("module", ["hrnet_plugin", "hrnet_plugin.archs", "hrnet_plugin.cli.main"])
def test_importing_costs_nothing_heavy(module):
    heavy = "sorted({'torch', 'numpy', 'mmengine', 'mmcv', 'cv2', 'rich'} & set(sys.modules))"
    code = f"import sys; before = set(sys.modules); import {module}; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_evaluates_text_or_loads_unsafely():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in {"eval", "exec", "pickle.load", "pickle.loads"}, f"{path}:{node.lineno}"
                unsafe = [
                    key for key in node.keywords if key.arg == "weights_only" and ast.unparse(key.value) != "True"
                ]
                assert not unsafe, f"{path}:{node.lineno}"
