"""The counter against mmengine's and against figures worked out by hand."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import nn

import hrnet_plugin
from hrnet_plugin.analysis.complexity import Complexity, count_complexity, in_billions, in_gibi
from hrnet_plugin.nets import ClassificationFusion, ConcatScales


class Odd(nn.Module):
    """What HRNets do not have: transposed, grouped and dilated convolutions, one called twice, a matrix product."""

    def __init__(self):
        super().__init__()
        self.deconv = nn.ConvTranspose2d(3, 8, kernel_size=4, stride=2, padding=1)
        self.grouped = nn.Conv2d(8, 8, kernel_size=3, padding=2, dilation=2, groups=4)
        self.norm = nn.GroupNorm(2, 8)
        self.classifier = nn.Linear(8, 5)
        self.rows = nn.Linear(8, 3, bias=False)

    def forward(self, image):
        x = self.norm(self.grouped(self.grouped(self.deconv(image))))
        pixels = self.rows(x.flatten(2).transpose(1, 2))
        return self.classifier(x.mean((2, 3))), pixels.transpose(1, 2) @ pixels


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Sequential(hrnet_plugin.HRNet("w18_small_v1"), ClassificationFusion((16, 32, 64, 128))),
        lambda: nn.Sequential(
            hrnet_plugin.HRNet("w18_small_v2", upsample_mode="bilinear"), ConcatScales((18, 36, 72, 144), 270)
        ),
        Odd,
    ],
    ids=["classifier", "segmenter", "odd"],
)
def test_convolutions_and_linear_layers_equal_mmengines_to_the_last_one(build):
    from mmengine.analysis import FlopAnalyzer

    logging.disable(logging.WARNING)
    try:
        net = build().eval()
        theirs = FlopAnalyzer(net, (torch.rand(1, 3, 64, 96),)).by_operator()
    finally:
        logging.disable(logging.NOTSET)
    ours = count_complexity(net, (96, 64)).macs_by_kind()
    assert ours["convolution"] == theirs["conv"] > 0
    assert ours.get("linear", 0) == theirs["linear"]


def test_units():
    assert in_billions(7_643_332_608) == pytest.approx(7.643, abs=1e-3)
    assert in_gibi(7_643_332_608) == pytest.approx(7.118, abs=1e-3)


def test_every_kind_by_hand():
    cost = count_complexity(Odd(), (6, 4))
    by_name = {(row.module, row.kind): (row.parameters, row.macs) for row in cost.costs}
    assert by_name == {
        ("", "product"): (0, 3 * 96 * 3),
        ("deconv", "convolution"): (3 * 8 * 16 + 8, 24 * 3 * 8 * 16),
        ("grouped", "convolution"): (8 * 2 * 9 + 8, 2 * 96 * 8 * 2 * 9),
        ("norm", "norm"): (16, 96 * 8),
        ("classifier", "linear"): (8 * 5 + 5, 8 * 5),
        ("rows", "linear"): (8 * 3, 96 * 8 * 3),
    }
    assert cost.input_size == (6, 4)
    assert cost.macs == sum(macs for (_, kind), (_, macs) in by_name.items() if kind != "norm")
    assert cost.parameters == sum(parameter.numel() for parameter in Odd().parameters())
    assert cost.of_kind("norm").macs_by_kind() == {"norm": 96 * 8}


def test_deformable_convolutions_count_as_convolutions_of_their_size():
    from mmcv.ops import DeformConv2d, DeformConv2dPack, ModulatedDeformConv2d

    class Deformable(nn.Module):
        def __init__(self):
            super().__init__()
            self.plain = DeformConv2d(3, 6, kernel_size=3, stride=2, padding=1, groups=3, deform_groups=3)
            self.modulated = ModulatedDeformConv2d(6, 4, kernel_size=3, padding=1)
            self.pack = DeformConv2dPack(4, 2, kernel_size=1)

        def forward(self, image):
            x = self.plain(image, torch.zeros(1, 54, 4, 6))
            return self.pack(self.modulated(x, torch.zeros(1, 18, 4, 6), torch.zeros(1, 9, 4, 6)))

    net = Deformable()
    rows = {row.module: row.macs for row in count_complexity(net, (12, 8)).costs}
    assert rows == {
        "plain": 24 * 6 * 1 * 9, "modulated": 24 * 4 * 6 * 9, "pack": 24 * 2 * 4, "pack.conv_offset": 24 * 2 * 4,
    }  # fmt: skip
    assert all("forward" not in vars(module) for module in net.modules())


def test_parts_add_up_to_the_whole():
    net = hrnet_plugin.HRNet("w18_small_v1")
    whole = count_complexity(net, (64, 64))
    parts = [whole.of_module(name) for name, _ in net.named_children()]
    assert sum(part.macs for part in parts) == whole.macs == whole.of_module("").macs
    assert sum(part.parameters for part in parts) == whole.parameters
    branch = whole.of_module("stage4.0.branches.1")
    assert branch.parameters == 2 * (2 * 32 * 32 * 9 + 4 * 32)
    assert branch.macs == 4 * 32 * 32 * 9 * 8 * 8
    assert whole.of_module("stage4.0.branches.1").costs != whole.of_module("stage4.0.branches").costs
    assert whole.of_module("stage") == Complexity((), (64, 64))


def test_a_shared_parameter_counts_once_and_its_work_twice():
    first, second = nn.Conv2d(3, 3, kernel_size=1, bias=False), nn.Conv2d(3, 3, kernel_size=1, bias=False)
    second.weight = first.weight
    cost = count_complexity(nn.Sequential(first, second), (4, 4))
    assert cost.parameters == 9
    assert cost.macs == 2 * 9 * 16


@pytest.mark.parametrize("fails", [False, True])
def test_the_module_is_left_as_it_was(fails):
    net = hrnet_plugin.HRNet("w18_small_v1", norm_eval=True).train()
    net.layer1.eval()
    if fails:
        net.stage4 = nn.Sequential(nn.Linear(1, 1))
    before = {name: (module.training, dict(vars(module))) for name, module in net.named_modules()}
    tensors = {
        name: (id(value), value.device, value._version) for name, value in net.state_dict(keep_vars=True).items()
    }
    if fails:
        with pytest.raises((RuntimeError, TypeError)):
            count_complexity(net, (64, 64))
    else:
        count_complexity(net, (64, 64))
    for name, module in net.named_modules():
        assert not module._forward_hooks, name
        assert not module._forward_pre_hooks, name
        assert not module._forward_hooks_always_called, name
        assert (module.training, dict(vars(module))) == before[name], name
    after = {name: (id(value), value.device, value._version) for name, value in net.state_dict(keep_vars=True).items()}
    assert after == tensors
