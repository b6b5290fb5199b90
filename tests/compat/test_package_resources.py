from __future__ import annotations

import importlib.metadata

import pytest

from hrnet_plugin.compat.stand_ins import pkg_resources


def test_mmengine_finds_packages_without_setuptools(unfixed, fixed):
    assert unfixed["pkg_resources"]["error"] == "ModuleNotFoundError: No module named 'pkg_resources'"
    assert fixed["pkg_resources"]["result"] == ["mmengine", "mmseg", True, False]


def test_a_distribution_tells_its_version_and_place():
    found = pkg_resources.get_distribution("mmengine")
    assert (found.project_name, found.key) == ("mmengine", "mmengine")
    assert found.version == importlib.metadata.version("mmengine")
    assert found.has_metadata("METADATA")
    assert not found.has_metadata("no_such_file")
    assert "Name: mmengine" in found.get_metadata("METADATA")
    with pytest.raises(FileNotFoundError, match="mmengine has no metadata file no_such_file"):
        found.get_metadata("no_such_file")


def test_what_is_not_there_is_said():
    with pytest.raises(pkg_resources.DistributionNotFound, match="'surely_no_such_package'"):
        pkg_resources.get_distribution("surely_no_such_package")
    with pytest.raises(AttributeError, match=r"pkg_resources\.iter_entry_points is not in .*setuptools<81"):
        _ = pkg_resources.iter_entry_points
