"""Large batches go through torch in parts, with the same outputs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.deploy.runtimes import base
from hrnet_plugin.deploy.runtimes.torch_eager import TorchRuntime


class Noting(nn.Module):
    """Notes how many images come at once."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.seen: list[int] = []

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        self.seen.append(len(images))
        features = self.conv(images)
        return features, features.mean((2, 3))


@pytest.mark.parametrize(("pixels", "parts"), [(64 * 4, [4, 4, 2]), (64, [1] * 10), (1, [1] * 10), (10**6, [10])])
def test_parts_have_so_many_pixels(pixels, parts, monkeypatch):
    monkeypatch.setattr(base, "_PIXELS", pixels)
    network = Noting().eval()
    images = torch.randn(10, 3, 8, 8)
    found = TorchRuntime(network)(images)
    assert network.seen == parts
    with torch.no_grad():
        expected = network(images)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(found, expected, strict=True))
    assert [tuple(one.shape) for one in found] == [(10, 4, 6, 6), (10, 4)]
