"""Devices by name, and the ones that are not there."""

from __future__ import annotations

import pytest
import torch

import hrnet_plugin
from hrnet_plugin.deploy.devices import find_device
from hrnet_plugin.errors import ConfigError


@pytest.mark.parametrize("name", [None, "cpu", torch.device("cpu")])
def test_the_cpu_is_everywhere(name):
    for runtime in ("torch", "onnxruntime", "openvino", "ncnn"):
        assert find_device(name, runtime) == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "runtime", "words"),
    [
        ("cuad", "torch", "device cuad: found none of this name"),
        ("cuda", "torch", "device cuda: found no such device for this torch .*, expected cpu"),
        ("cuda", "onnxruntime", "device cuda with runtime onnxruntime: found a runtime for the CPU, expected torch or"),
    ],
)
def test_devices_that_are_not_there(name, runtime, words, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=words):
        find_device(name, runtime)


def test_one_of_several(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device("cuda:1", "torch-compile") == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match=r"device cuda:2: found no such device .*, expected cpu, 2 of cuda"):
        find_device("cuda:2")


def test_load_puts_the_network_there(pose_checkpoint, monkeypatch):
    monkeypatch.setattr("hrnet_plugin.deploy.load.find_device", lambda *_: torch.device("meta"))
    predictor = hrnet_plugin.load("quickstart_pose", pose_checkpoint, device="cuda")
    assert predictor.device.type == "meta"
    assert {parameter.device.type for parameter in predictor.runtime.network.parameters()} == {"meta"}


def test_an_exported_file_is_computed_on_the_cpu(tmp_path):
    with pytest.raises(ConfigError, match=r"device beside .*x\.onnx: found cuda, expected none.*computed on the CPU"):
        hrnet_plugin.load(tmp_path / "x.onnx", device="cuda")
