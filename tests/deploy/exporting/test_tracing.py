from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.deploy.exporting.onnx import to_onnx
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.exporting.tracing import trace
from hrnet_plugin.errors import ConfigError

_SHAPE = InputShape((64, 64))


class _Decides(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.sum()) > 0 else -x


class _Selects(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[x > 0]


class _LeavesTorch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.from_numpy(x.detach().numpy() * 2)


class _Unknown(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.special.bessel_j0(x)


def _network(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU(), layer)).eval()


@pytest.mark.parametrize("kind", [_Decides, _LeavesTorch])
def test_a_layer_that_is_no_function_of_tensors_is_named(kind):
    with pytest.raises(ConfigError, match=rf"export to torch-export: layer 1\.1 \({kind.__name__}\): found "):
        trace(_network(kind()), _SHAPE, "torch-export")


def test_a_layer_with_any_number_of_outputs_is_named():
    message = r"layer 1\.1 \(_Selects\): found how many outputs it has depends on the image"
    with pytest.raises(ConfigError, match=message):
        trace(_network(_Selects()), _SHAPE, "ONNX")


def test_a_layer_without_a_form_in_onnx_is_named():
    with pytest.raises(ConfigError, match=r"ONNX: layer 1\.1 \(_Unknown\): found aten.special_bessel_j0.* no form"):
        to_onnx(_network(_Unknown()), _SHAPE)


def test_exporters_are_silent(capfd, recwarn):
    to_onnx(_network(nn.ReLU()), _SHAPE)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    warnings.warn("heard again", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in recwarn.list] == ["heard again"]
