from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
import torch

from hrnet_plugin.deploy.exporting.onnx import OPSET, read_description, write
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.optimising import optimised
from hrnet_plugin.deploy.runtimes.start import open_export
from hrnet_plugin.errors import CheckpointError, ConfigError

#: Of a fixed size: no shapes are computed, no norms are left.
_PLAIN = {"Conv", "Relu", "Add", "Resize", "Concat", "Mul"}


@pytest.fixture(params=["pose", "segmentation"])
def network(request):
    return request.getfixturevalue(request.param)


def test_graph_of_fixed_size_holds_no_more_than_the_network(tmp_path, network, description):
    path = write(optimised(network, "onnx"), tmp_path / "x.onnx", description, InputShape((96, 64)))
    model = onnx.load(path)
    kinds = {node.op_type for node in model.graph.node}
    assert {"Conv", "Resize"} <= kinds <= _PLAIN
    convolutions = sum(isinstance(module, torch.nn.Conv2d) for module in network.modules())
    assert sum(node.op_type == "Conv" for node in model.graph.node) <= convolutions
    assert [entry.version for entry in model.opset_import if not entry.domain] == [OPSET]
    onnx.checker.check_model(model, full_check=True)


def test_file_names_no_path_of_the_machine_that_wrote_it(tmp_path, pose, description):
    path = write(pose, tmp_path / "x.onnx", description, InputShape((64, 64)))
    assert str(Path(torch.__file__).parent).encode() not in path.read_bytes()
    assert b".py" not in path.read_bytes()


def test_free_batch_and_size_give_the_network_s_numbers(tmp_path, network, description, difference):
    shape = InputShape((96, 128), dynamic_batch=True, dynamic_size=True)
    path = write(optimised(network, "onnx"), tmp_path / "x.onnx", description, shape)
    assert read_description(path) == description
    runtime = open_export(path)
    for nchw in ((1, 3, 160, 96), (3, 3, 64, 224), (2, 3, 128, 96)):
        images = torch.randn(nchw)
        with torch.no_grad():
            assert difference(runtime(images), network(images)) < 1e-5


def test_sizes_out_of_step_are_refused(tmp_path, pose, description):
    shape = InputShape((64, 64), dynamic_batch=True, dynamic_size=True)
    runtime = open_export(write(pose, tmp_path / "x.onnx", description, shape))
    with pytest.raises(ConfigError, match="found 100x64, expected width and height that are multiples of 32"):
        runtime(torch.randn(1, 3, 64, 100))


def test_fixed_size_may_be_any_and_no_other(tmp_path, pose, description, difference):
    import dataclasses

    fixed = dataclasses.replace(description, input_size=(84, 100), batch=1)
    runtime = open_export(write(pose, tmp_path / "x.onnx", fixed, InputShape((84, 100))))
    images = torch.randn(1, 3, 100, 84)
    with torch.no_grad():
        assert difference(runtime(images), pose(images)) < 1e-5
    with pytest.raises(ConfigError, match="found 64x64, expected 84x100, the fixed size"):
        runtime(torch.randn(1, 3, 64, 64))
    with pytest.raises(ConfigError, match="found 2 at once, expected 1, the fixed batch"):
        runtime(torch.randn(2, 3, 100, 84))


def test_what_stood_there_survives_a_failed_export(tmp_path, pose, description, monkeypatch):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"cannot write .*x.onnx: found 'No space left on device'"):
        write(pose, path, description, InputShape((64, 64)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.onnx"]
    assert path.read_bytes() == b"before"


def test_other_files_are_told_from_exports(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(CheckpointError, match=r"x.onnx"):
        read_description(path)
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "other", [], [])), path)
    with pytest.raises(CheckpointError, match="found no description of a network, expected a file written by hrnet"):
        read_description(path)
