"""Other images than RGB ones, and other numbers of keypoints or classes."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.checkpoints.loading.adaptation import Mismatch, adapt_stem, is_rgb_stem, output_mismatches


@pytest.mark.parametrize("in_channels", [1, 2, 3, 4, 6, 7])
def test_the_rule_is_timms(in_channels):
    from timm.models._manipulate import adapt_input_conv  # torchvision needs our fixes by then

    weight = torch.rand(5, 3, 3, 3) - 0.5
    adapted = adapt_stem(weight, in_channels)
    assert adapted.shape == (5, in_channels, 3, 3)
    assert torch.equal(adapted, adapt_input_conv(in_channels, weight.clone()))


@pytest.mark.parametrize("in_channels", [1, 3, 6, 9])
def test_a_grey_image_gets_the_same_response(in_channels):
    weight, grey = torch.rand(5, 3, 3, 3, dtype=torch.float64).float() - 0.5, torch.rand(1, 1, 8, 8)
    wanted = torch.conv2d(grey.expand(1, 3, 8, 8), weight)
    found = torch.conv2d(grey.expand(1, in_channels, 8, 8), adapt_stem(weight, in_channels))
    assert wanted.abs().max() > 0.1
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_half_precision_stays_half():
    weight = torch.rand(4, 3, 3, 3).half()
    assert adapt_stem(weight, 1).dtype == torch.half
    torch.testing.assert_close(adapt_stem(weight, 1).float(), weight.float().sum(1, keepdim=True), atol=2e-3, rtol=0)


@pytest.mark.parametrize("key", ["conv1.weight", "backbone.conv1.weight", "backbone.stem.conv1.conv.weight"])
def test_stems(key):
    assert is_rgb_stem(Mismatch(key, (64, 3, 3, 3), (64, 1, 3, 3)))
    assert not is_rgb_stem(Mismatch(key, (64, 4, 3, 3), (64, 3, 3, 3)))  # from other images: no rule
    assert not is_rgb_stem(Mismatch(key, (64, 3, 7, 7), (64, 1, 3, 3)))  # another network
    assert not is_rgb_stem(Mismatch(f"layer1.0.{key}", (64, 3, 3, 3), (64, 1, 3, 3)))


def test_layers_whose_outputs_are_counted():
    last = Mismatch("head.final_layer.weight", (17, 32, 1, 1), (21, 32, 1, 1))
    bias = Mismatch("head.final_layer.bias", (17,), (21,))
    narrower = Mismatch("head.final_layer.weight", (17, 48, 1, 1), (21, 32, 1, 1))
    norm = Mismatch("head.convs.0.bn.weight", (720,), (270,))
    backbone = Mismatch("backbone.stage2.0.weight", (48, 3, 3, 3), (32, 3, 3, 3))
    assert output_mismatches([last, bias, norm, backbone]) == [last, bias]
    assert output_mismatches([narrower, bias, norm, backbone]) == []
