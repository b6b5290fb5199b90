from __future__ import annotations

import pytest
import torch

from hrnet_plugin.deploy.exporting.ncnn import read_description, write
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.optimising import optimised
from hrnet_plugin.deploy.runtimes.start import open_export
from hrnet_plugin.errors import CheckpointError, ConfigError


def test_a_free_size_is_refused(tmp_path, pose, description):
    shape = InputShape((64, 64), dynamic_size=True)
    with pytest.raises(ConfigError, match="--size dynamic with --to ncnn: found a free size, expected a fixed one"):
        write(pose, tmp_path / "x.ncnn.param", description, shape)


def test_graph_without_its_description_is_told(tmp_path):
    (tmp_path / "x.ncnn.param").write_text("7767517\n")
    with pytest.raises(CheckpointError, match=r"found no x\.ncnn\.json beside it, expected the three files"):
        read_description(tmp_path / "x.ncnn.param")


@pytest.mark.parametrize("name", ["pose", "segmentation"])
def test_images_one_by_one_give_the_network_s_numbers(tmp_path, request, name, description, difference):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    network = request.getfixturevalue(name)
    path = write(optimised(network, "ncnn"), tmp_path / "x.ncnn.param", description, InputShape((96, 64)))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["x.ncnn.bin", "x.ncnn.json", "x.ncnn.param"]
    assert read_description(path) == description
    runtime = open_export(path, threads=1)
    images = torch.randn(3, 3, 64, 96)
    with torch.no_grad():
        assert difference(runtime(images), network(images)) < 1e-4


class _Sorted(torch.nn.Module):
    def forward(self, images):
        return images.flatten(1).topk(5).values


class _Bessel(torch.nn.Module):
    def forward(self, images):
        return torch.special.bessel_j0(images)


class _Choosing(torch.nn.Module):
    def forward(self, images):
        return images if float(images.sum()) > 0 else -images


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (_Sorted, r"export to ncnn: found layers that ncnn has not: torch\.topk in 1 \(_Sorted\)"),
        (_Bessel, r"export to ncnn: found layers that ncnn has not: \w*bessel_j0 in 1 \(_Bessel\)"),
        (_Choosing, r"export to ncnn: layer 1 \(_Choosing\)"),
    ],
)
def test_a_layer_that_ncnn_has_not_is_named(layer, line, tmp_path, description):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), layer()).eval()
    with pytest.raises(ConfigError, match=line):
        write(network, tmp_path / "x.ncnn.param", description, InputShape((64, 64)))
    assert not list(tmp_path.iterdir())
