"""int8 files: near the network, smaller, and never without images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.deploy import calibration
from hrnet_plugin.deploy.calibration import write_quantised
from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.exporting.formats import files_of, read_description
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.runtimes.start import open_export
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import ConfigError, MissingDependency

_DESCRIPTION = NetworkDescription("features", (64, 64), 2)
_SHAPE = InputShape((64, 64), batch=2)


class _Small(nn.Sequential):
    """Weights enough for their size to show."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=4))


@pytest.fixture(scope="module")
def network() -> TensorModel:
    torch.manual_seed(0)
    return TensorModel(_Small().eval())


def images() -> list[Tensor]:
    return list(torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1)).split(2))


@pytest.mark.parametrize("suffix", [".xml", ".onnx"])
def test_quantised_files(suffix, network, tmp_path):
    path = write_quantised(network, tmp_path / f"x{suffix}", _DESCRIPTION, _SHAPE, iter(images()))
    assert sorted(tmp_path.iterdir()) == sorted(files_of(path))
    found = read_description(path)
    assert (found.precision, found.input_size, found.batch) == ("int8", (64, 64), 2)
    runtime = open_export(path, threads=1)
    assert runtime.precision == "int8"
    batch = images()[0]
    with torch.no_grad():
        expected = network(batch)[0]
    assert 1e-4 < float((runtime(batch)[0] - expected).abs().max() / expected.abs().max()) < 0.1
    weights = sum(parameter.numel() for parameter in network.parameters())
    assert max(file.stat().st_size for file in files_of(path)) < 3 * weights
    with pytest.raises(ConfigError, match="found 1 at once, expected 2, the fixed batch of this export"):
        runtime(batch[:1])
    with pytest.raises(ConfigError, match=r"precision fp32 for .*found a file of int8 numbers"):
        open_export(path, precision="fp32")


@pytest.mark.parametrize("suffix", [".xml", ".onnx"])
@pytest.mark.parametrize("none", [None, [], iter(())])
def test_no_images(none, suffix, network, tmp_path):
    with pytest.raises(ConfigError, match="int8: found no images to calibrate with, expected some; 300 are enough"):
        write_quantised(network, tmp_path / f"x{suffix}", _DESCRIPTION, _SHAPE, none)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".pt2", ".ncnn.param"])
def test_a_format_without_int8(suffix, network, tmp_path):
    with pytest.raises(ConfigError, match=r"int8: found a .* file, expected OpenVINO or ONNX Runtime"):
        write_quantised(network, tmp_path / f"x{suffix}", _DESCRIPTION, _SHAPE, images())


def test_no_quantiser(network, tmp_path, monkeypatch):
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("hrnet_plugin.deploy.optional.importlib.import_module", absent)
    for suffix, install in ((".xml", "pip install nncf"), (".onnx", "pip install onnxruntime")):
        with pytest.raises(MissingDependency, match=install):
            write_quantised(network, tmp_path / f"x{suffix}", _DESCRIPTION, _SHAPE, images())


def test_every_image_is_taken_and_can_be_read_again():
    kept = calibration._Images(torch.zeros(7, 3, 1, 1) for _ in range(50))
    assert len(kept) == 350
    assert [image.shape for image in kept] == [(1, 3, 1, 1)] * 350 == [image.shape for image in kept]
