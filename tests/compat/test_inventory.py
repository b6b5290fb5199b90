from __future__ import annotations

import importlib.metadata

import pytest

from hrnet_plugin.compat import inventory


@pytest.fixture
def installed(monkeypatch):
    """Pretends that exactly the given packages are installed."""

    def pretend(**versions: str) -> None:
        by_name = {name.replace("_", "-"): version for name, version in versions.items()}

        def version(name: str) -> str:
            if name.replace("_", "-") not in by_name:
                raise importlib.metadata.PackageNotFoundError(name)
            return by_name[name.replace("_", "-")]

        monkeypatch.setattr(importlib.metadata, "version", version)

    return pretend


@pytest.fixture
def requirements(tmp_path):
    for name in inventory.FILES:
        (tmp_path / f"{name}.txt").write_text("")
    (tmp_path / "runtime.txt").write_text(
        "# a comment\n\nnumpy>=1.23,<2            # why\nopencv-python==4.11.0.86\nrich\n"
    )
    (tmp_path / "openmmlab.txt").write_text("mmcv-lite==2.1.0\n")
    (tmp_path / "torch.txt").write_text("torch==2.13.0\ntorchvision==0.28.0\n")
    return tmp_path


def test_lines_are_read_with_their_specification(requirements):
    expected = [("numpy", ">=1.23,<2"), ("opencv-python", "==4.11.0.86"), ("rich", "")]
    assert inventory.read_requirements(requirements, "runtime") == expected


def test_packages_are_found_compared_and_missed(requirements, installed):
    installed(numpy="2.1.0", opencv_python_headless="4.11.0.86", mmcv="2.1.0", torch="2.13.0+cpu")
    rows = {package.name: package for package in inventory.inspect_packages(requirements)}
    assert (rows["numpy"].found, rows["numpy"].version) == ("2.1.0", "differs")
    assert (rows["opencv-python"].found_name, rows["opencv-python"].version) == ("opencv-python-headless", "fits")
    assert (rows["mmcv-lite"].found_name, rows["mmcv-lite"].version) == ("mmcv", "fits")
    assert (rows["torch"].found, rows["torch"].version) == ("2.13.0+cpu", "fits")
    assert (rows["rich"].found, rows["rich"].version) == (None, "missing")


def test_what_must_be_installed_without_dependencies(requirements, installed):
    installed()
    alone = [row.name for row in inventory.inspect_packages(requirements) if row.without_dependencies]
    assert sorted(alone) == ["mmcv-lite", "torchvision"]


def test_both_mmcvs_at_once_are_seen(installed):
    installed(mmcv="2.1.0", mmcv_lite="2.0.0")
    assert inventory.installed("mmcv-lite") == [("mmcv-lite", "2.0.0"), ("mmcv", "2.1.0")]


@pytest.mark.parametrize(
    ("version", "spec", "expected"),
    [
        ("1.26.4", ">=1.23,<2", True),
        ("2.0.0", ">=1.23,<2", False),
        ("81.0.0", "<81", False),
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.14.0a0", "==2.13.0", False),
        ("anything", "", True),
    ],
)
def test_versions_are_compared_as_versions(version, spec, expected):
    assert inventory.fits(version, spec) is expected


def test_the_projects_own_requirements_are_all_read(project_root):
    names = [package.name for package in inventory.inspect_packages(project_root / "requirements")]
    assert len(names) == len(set(names)) > 30
    assert {"torch", "torchvision", "mmengine", "mmcv-lite", "mmpose", "numpy", "six", "ftfy", "xtcocotools"} <= set(
        names
    )
