"""The counter against mmengine's and against the published figures."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import NamedTuple

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

import hrnet_plugin
from hrnet_plugin.analysis.complexity import Complexity, count_complexity, in_billions, in_gibi
from hrnet_plugin.nets import ClassificationFusion, ConcatScales

TEN_9, TWO_30 = in_billions, in_gibi


class Classifier(nn.Module):
    """The authors' whole classification network."""

    def __init__(self, arch: str, num_classes: int = 1000):
        super().__init__()
        self.backbone = hrnet_plugin.HRNet(arch)
        self.neck = ClassificationFusion(self.backbone.out_channels, conv_bias=True)
        self.classifier = nn.Linear(2048, num_classes)

    def forward(self, image):
        return self.classifier(self.neck(self.backbone(image))[0].mean((2, 3)))


class Segmenter(nn.Module):
    """HRNetV2 with a representation and a classifier of 1x1 convolutions, for the 19 classes of Cityscapes."""

    def __init__(self, arch: str):
        super().__init__()
        self.backbone = hrnet_plugin.HRNet(arch, upsample_mode="bilinear")
        channels = sum(self.backbone.out_channels)
        self.neck = ConcatScales(self.backbone.out_channels, channels)
        self.classifier = nn.Conv2d(channels, 19, kernel_size=1)

    def forward(self, image):
        return self.classifier(self.neck(self.backbone(image))[0])


class Pose(nn.Module):
    """Heatmaps of the 17 joints of COCO from the highest resolution."""

    def __init__(self, arch: str):
        super().__init__()
        self.backbone = hrnet_plugin.HRNet(arch, multiscale_output=False)
        self.final_layer = nn.Conv2d(self.backbone.out_channels[0], 17, kernel_size=1)

    def forward(self, image):
        return self.final_layer(self.backbone(image)[0])


def build_dekr(arch: str) -> nn.Module:
    """mmpose's DEKR around our backbone; its deformable convolutions need no compiled mmcv to be counted."""
    import mmpose.models  # noqa: F401 - registers
    from mmengine.hub import get_config
    from mmpose.registry import MODELS

    size = {"w32": "512x512", "w48": "640x640"}[arch]
    cfg = get_config(f"mmpose::body_2d_keypoint/dekr/coco/dekr_hrnet-{arch}_8xb10-140e_coco-{size}.py").model
    cfg.backbone = {"type": "hrnet_plugin.HRNet", "arch": arch}
    with DefaultScope.overwrite_default_scope("mmpose"):
        return MODELS.build(cfg)


class Row(NamedTuple):
    """A published network: (width, height), millions of parameters and "GFLOPs" as printed, and the unit of those."""

    build: object
    arch: str
    size: tuple[int, int]
    parameters: str
    macs: str
    unit: object
    options: dict = {}  # noqa: RUF012 - read only


#: Pose: arXiv:1902.09212 and the authors' pose code. DEKR: arXiv:2104.02300. Segmentation and classification: the
#: authors' code. Units are not stated there: each is the one in which the figure comes out.
PUBLISHED = [
    Row(Pose, "w32", (192, 256), "28.5", "7.1", TWO_30),
    Row(Pose, "w48", (192, 256), "63.6", "14.6", TWO_30),
    Row(Pose, "w32", (288, 384), "28.5", "16.0", TWO_30),
    Row(Pose, "w48", (288, 384), "63.6", "32.9", TWO_30),
    Row(build_dekr, "w32", (512, 512), "29.6", "45.4", TEN_9, {"data_samples": None}),
    Row(build_dekr, "w48", (640, 640), "65.7", "141.5", TEN_9, {"data_samples": None}),
    Row(Segmenter, "w18_small_v1", (2048, 1024), "1.5", "31.1", TWO_30),
    Row(Segmenter, "w18_small_v2", (2048, 1024), "3.9", "71.6", TWO_30),
    Row(Segmenter, "w48", (2048, 1024), "65.8", "696.2", TWO_30),
    Row(Classifier, "w18_small_v1", (224, 224), "13.2", "1.49", TWO_30),
    Row(Classifier, "w18_small_v2", (224, 224), "15.6", "2.42", TWO_30),
    Row(Classifier, "w18", (224, 224), "21.3", "3.99", TWO_30),
    Row(Classifier, "w30", (224, 224), "37.7", "7.55", TWO_30),
    Row(Classifier, "w32", (224, 224), "41.2", "8.31", TWO_30),
    Row(Classifier, "w40", (224, 224), "57.6", "11.8", TWO_30),
    Row(Classifier, "w44", (224, 224), "67.1", "13.9", TWO_30),
    Row(Classifier, "w48", (224, 224), "77.5", "16.1", TWO_30),
    Row(Classifier, "w64", (224, 224), "128.1", "26.9", TWO_30),
    # Lite-HRNets and HigherHRNets: rows of their own go here.
]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.build.__name__}-{row.arch}-{row.size[0]}".lower())
def test_published_parameters_and_macs(row, record_property):
    with torch.device("meta"):
        net = row.build(row.arch)
    cost = count_complexity(net, row.size, options=row.options)
    record_property("parameters", cost.parameters)
    record_property("macs", cost.macs)
    printed = Decimal(row.parameters)
    last_digit = Decimal(1).scaleb(printed.as_tuple().exponent)
    assert abs(Decimal(cost.parameters) / 10**6 - printed) <= last_digit
    assert row.unit(cost.macs) == pytest.approx(float(row.macs), rel=0.005)


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
    [lambda: Classifier("w18_small_v1"), lambda: Segmenter("w18_small_v2"), Odd],
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
