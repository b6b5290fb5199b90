from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.cli import export
from hrnet_plugin.deploy.exporting.formats import FORMATS, files_of, format_of, read_description
from hrnet_plugin.errors import CheckpointError


def test_the_command_knows_the_formats():
    assert tuple(FORMATS) == export._FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_told_by_its_suffix(name):
    path = Path("folder", f"net.work{FORMATS[name].SUFFIX}")
    assert name == format_of(path).NAME
    assert files_of(path)[0] == path
    assert all(file.name.startswith("net.work.") for file in files_of(path))


def test_files_that_belong_together():
    assert [path.name for path in files_of(Path("a.xml"))] == ["a.xml", "a.bin"]
    assert [path.name for path in files_of(Path("a.ncnn.param"))] == ["a.ncnn.param", "a.ncnn.bin", "a.ncnn.json"]
    assert files_of(Path("a.onnx")) == [Path("a.onnx")]


def test_other_files_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"found suffix \.pth, expected \.onnx, \.xml, \.pt2, \.ncnn\.param"):
        format_of(Path("a.pth"))
    with pytest.raises(CheckpointError, match="found no such file"):
        read_description(tmp_path / "a.onnx")
