"""Loading is rehearsed without a trace, through the modules' own hooks."""

from __future__ import annotations

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn

from hrnet_plugin.checkpoints.loading.rehearsal import rehearse_loading, tensors_of


def network() -> nn.Sequential:
    """Two layers, a shared one, a buffer that is not saved."""
    inner = nn.Linear(2, 3)
    inner.register_buffer("scratch", torch.ones(2), persistent=False)
    return nn.Sequential(inner, nn.BatchNorm1d(3), inner)


def test_nothing_changes():
    net = network()
    before, values = tensors_of(net), copy.deepcopy(net.state_dict())
    arrivals = rehearse_loading(net, {key: value + 1 for key, value in values.items()}, {})
    assert list(arrivals.offered) == list(values)
    assert all(torch.equal(arrivals.offered[key], value + 1) for key, value in values.items())
    after = tensors_of(net)
    assert list(after) == list(values)
    assert all(after[key] is tensor and torch.equal(tensor, values[key]) for key, tensor in before.items())
    assert net[0].weight.requires_grad
    assert net[0].scratch.device.type == "cpu"


def test_the_network_is_whole_again_after_an_error():
    net = network()
    net[1]._register_load_state_dict_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rehearse_loading(net, net.state_dict(), {})
    assert all(tensor.device.type == "cpu" for tensor in tensors_of(net).values())


def test_wrong_shapes_arrive_and_unknown_keys_are_unexpected():
    arrivals = rehearse_loading(
        network(), {"0.bias": torch.zeros(7), "0.scratch": torch.ones(2), "9.a": torch.ones(1)}, {}
    )
    assert arrivals.offered["0.bias"].shape == (7,)
    assert sorted(arrivals.unexpected) == ["0.scratch", "9.a"]


def test_old_keys_pass_the_hooks_of_the_modules():
    """DEKR's head turns what its first version saved, and leaves what the present one did."""
    from mmpose.models.heads import DEKRHead

    loss = {"type": "AdaptiveWingLoss"}
    head = DEKRHead(8, 4, heatmap_loss=loss, displacement_loss=loss, num_heatmap_filters=8)
    weights = {key: torch.rand_like(value) for key, value in head.state_dict().items() if value.is_floating_point()}
    versions = head.state_dict()._metadata
    assert versions[""]["version"] == 2
    last = "heatmap_conv_layers.2.weight"
    for said, moves in (({}, True), (versions, False)):
        loaded, given = copy.deepcopy(head), OrderedDict(weights)
        given._metadata = said
        loaded.load_state_dict(given, strict=False)
        arrivals = rehearse_loading(head, weights, said)
        assert set(arrivals.offered) >= set(weights)
        assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in arrivals.offered.items())
        assert torch.equal(arrivals.offered[last], weights[last]) != moves
