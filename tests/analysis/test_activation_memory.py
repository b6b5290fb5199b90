"""What autograd would keep, counted without values, against what it keeps with values."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from hrnet_plugin import HRNet, LiteHRNet
from hrnet_plugin.analysis.activation_memory import count_activation_memory


def really_kept(network: nn.Module, width: int, height: int, batch: int = 1) -> int:
    """Bytes of all storages that a real forward pass in training mode saves."""
    own = {value.untyped_storage().data_ptr() for value in (*network.parameters(), *network.buffers())}
    saved: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    network.train()
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        output = network(torch.randn(batch, 3, height, width))
    assert output
    return sum(saved.values())


@pytest.mark.parametrize(
    "build",
    [
        lambda: HRNet("w18_small_v1"),
        lambda: HRNet("w18_small_v1", fuse_method="concat", norm_cfg={"type": "GN", "num_groups": 2}),
        lambda: HRNet("w18_small_v1", frozen_stages=2, norm_eval=True),
        lambda: LiteHRNet("litehrnet_18"),
    ],
    ids=["plain", "concat-gn", "frozen", "lite"],
)
def test_equals_what_autograd_keeps_to_the_byte(build):
    network = build()
    assert sum(count_activation_memory(network, (96, 64), batch=2).values()) == really_kept(network, 96, 64, 2) > 0


def test_the_network_is_left_as_it_was():
    network = HRNet("w18_small_v1", with_cp=True).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kept = count_activation_memory(network, (64, 64))
    assert not network.training
    assert not any(module.training for module in network.modules())
    assert network.with_cp is True
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert kept == count_activation_memory(HRNet("w18_small_v1"), (64, 64)), "recomputation is left out"


def test_frozen_parts_keep_nothing():
    network = HRNet("w18_small_v1", frozen_stages=1)
    kept = count_activation_memory(network, (64, 64))
    assert not [name for name in kept if name.startswith(("conv", "bn", "layer1", "transition1"))]
    assert any(name.startswith("stage2") for name in kept)


def test_maps_of_one_pixel_are_counted_on_two_images():
    network = HRNet("w18_small_v1")
    kept = count_activation_memory(network, (32, 32))
    assert sum(kept.values()) == pytest.approx(really_kept(network, 32, 32, 2) / 2, rel=0.001)
