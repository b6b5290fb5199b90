"""Features are what the modules gave, and nothing stays behind in the network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin import HRNet, capture_features
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.inspection.capture import find_modules


@pytest.fixture(scope="module")
def network() -> HRNet:
    return HRNet("w18_small_v1").eval()


def hooks_of(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def test_features_are_what_the_modules_gave(network):
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad(), capture_features(network, ["stage4.0", "layer1", "stage3.0.branches.?"]) as features:
        outputs = network(image)
    assert [torch.equal(*pair) for pair in zip(features["stage4.0"], outputs, strict=True)] == [True] * 4
    assert features["layer1"].shape == (2, 128, 16, 24)
    assert sorted(features) == ["layer1", *(f"stage3.0.branches.{index}" for index in range(3)), "stage4.0"]


def test_layers_that_work_in_place_do_not_change_what_was_caught():
    network = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(inplace=True))
    with capture_features(network, "0") as features:
        output = network(torch.randn(1, 1, 8, 8))
    assert (features["0"] < 0).any()
    assert torch.equal(features["0"].relu(), output)
    assert not features["0"].requires_grad


def test_hooks_come_off_again_also_after_an_error(network):
    with capture_features(network, ["*"]):
        assert hooks_of(network) > 100
    assert hooks_of(network) == 0
    with pytest.raises(RuntimeError, match="channels"), capture_features(network, ["*"]):
        network(torch.randn(1, 5, 64, 64))
    assert hooks_of(network) == 0
    with pytest.raises(ZeroDivisionError), capture_features(network, "stage*"):
        raise ZeroDivisionError
    assert hooks_of(network) == 0


def test_only_what_is_asked_for_is_kept(network):
    with torch.no_grad(), capture_features(network, "layer1", keep=torch.Tensor.mean) as features:
        network(torch.randn(1, 3, 64, 64))
    assert features["layer1"].ndim == 0


def test_a_wrong_name_is_one_line_with_the_nearest(network):
    with pytest.raises(ConfigError, match=r"module 'stage4\.0\.branch\.1': found no such module.*stage4\.0\.branches"):
        find_modules(dict(network.named_modules()), ["stage4.0.branch.1"])
    with (
        pytest.raises(ConfigError, match=r"module 'stages\*': found no such module"),
        capture_features(network, "stages*"),
    ):
        pytest.fail("nothing was asked for")
    assert hooks_of(network) == 0
