from __future__ import annotations

import os

import openvino
import pytest
import torch

from hrnet_plugin.deploy.exporting.openvino import read_description, write
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.optimising import optimised
from hrnet_plugin.deploy.runtimes.start import open_export
from hrnet_plugin.errors import CheckpointError, ConfigError


def test_free_batch_and_size_give_the_network_s_numbers(tmp_path, segmentation, description, difference):
    shape = InputShape((96, 128), dynamic_batch=True, dynamic_size=True)
    path = write(optimised(segmentation, "openvino"), tmp_path / "x.xml", description, shape)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["x.bin", "x.xml"]
    assert read_description(path) == description
    runtime = open_export(path, threads=1)
    for nchw in ((1, 3, 160, 96), (3, 3, 64, 224)):
        images = torch.randn(nchw)
        with torch.no_grad():
            assert difference(runtime(images), segmentation(images)) < 1e-5


def test_neither_of_two_files_is_replaced_where_one_cannot_be(tmp_path, pose, description, monkeypatch):
    for name in ("x.xml", "x.bin"):
        (tmp_path / name).write_bytes(b"before")
    synced = []

    def full(number: int) -> None:
        synced.append(number)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"cannot write .*x.xml: found 'No space left on device'"):
        write(pose, tmp_path / "x.xml", description, InputShape((64, 64)))
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"x.xml": b"before", "x.bin": b"before"}


def test_weights_stay_in_float32(tmp_path, pose, description):
    path = write(optimised(pose, "openvino"), tmp_path / "x.xml", description, InputShape((64, 64)))
    graph = openvino.Core().read_model(path)
    kinds = {node.get_output_element_type(0).get_type_name() for node in graph.get_ops() if node.get_output_size()}
    assert "f32" in kinds
    assert not kinds & {"f16", "bf16"}


def test_graph_without_its_weights_is_told(tmp_path, pose, description):
    path = write(pose, tmp_path / "x.xml", description, InputShape((64, 64)))
    path.with_suffix(".bin").unlink()
    with pytest.raises(CheckpointError, match=r"expected a whole .xml with its .bin"):
        read_description(path)
