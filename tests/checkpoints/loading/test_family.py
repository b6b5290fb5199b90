"""What a checkpoint holds, in words."""

from __future__ import annotations

import torch

from hrnet_plugin import nets
from hrnet_plugin.archs import LITE_ZOO, find_arch
from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.loading.family import describe_weights


def described(weights: dict) -> str:
    """Words for a file with these weights."""
    return describe_weights(contents_of(weights, "a.pth"))


def test_our_families_are_named_by_their_widths():
    small = nets.HRNet(find_arch("w18_small_v1")).state_dict()
    assert described(small) == "an HRNet of widths 16, 32, 64, 128"
    model = {f"backbone.{key}": value for key, value in small.items()} | {"head.final_layer.weight": torch.ones(1)}
    assert described(model) == "an HRNet of widths 16, 32, 64, 128"
    lite = nets.LiteHRNet(LITE_ZOO["litehrnet_naive"]).state_dict()
    assert described(lite) == "a Lite-HRNet of widths 30, 60, 120, 240"


def test_others_are_named_by_their_first_keys():
    assert described({"fc.weight": torch.ones(1), "fc.bias": torch.ones(1)}) == "2 weights such as fc.weight, fc.bias"


def test_another_projects_keys_are_named_with_the_way_to_ours():
    import timm

    words = described(timm.create_model("hrnet_w18_small").state_dict())
    assert words.startswith("an HRNet of widths 16, 32, 64, 128 as ")
    assert words.endswith(" writes it (`hrnet convert` changes that)")
