"""The numbers of `hrnet_explained.md` are those that the package computes, and its claims hold."""

from __future__ import annotations

import re
from pathlib import Path

import draw_hrnet
import explained_numbers
import pytest
import torch
from receptive_fields import receptive_field
from torch import nn

from hrnet_plugin.archs import HRNetSpec, find_arch, read_extra
from hrnet_plugin.nets import HRNet

#: Numbers that are no results: sizes of kernels, names of parts, exponents, addresses.
STRUCTURE = re.compile(
    r"\b\d+x\d+\b|\bW\d+|10\^\d+|arXiv:[\d.]+|[↑↓]\d+|(?i:stages?|branch(?:es)?|transition|HRNetV|阶段|分支|过渡层)\s*\d+"
    r"(?: (?:to|and|到|和) \d+)*|(?:分支 )?\d+ 到 \d+"
)
#: Numbers of the design, which the reader can count in the picture: widths, strides, how often something is doubled.
DESIGN = {"1", "2", "3", "4", "5", "8", "32", "48", "64", "256"}


@pytest.fixture(scope="module")
def computed() -> tuple[dict, dict]:
    """Values and tables, computed anew."""
    return explained_numbers.compute()


@pytest.fixture(params=explained_numbers.PAGES)
def page(request, docs: Path) -> str:
    """The text of a page with numbers."""
    return (docs / request.param).read_text(encoding="utf-8")


def test_pages_hold_the_computed_numbers(page, computed):
    assert explained_numbers.fill(page, *computed) == page


def test_a_changed_number_is_noticed(page, computed):
    assert page.count("<!--bottleneck.saved-->94.1 %<!---->") == 1
    for before, after in (("94.1 %<!---->", "94.2 %<!---->"), ("| 70,400 |", "| 70,401 |")):
        assert explained_numbers.fill(page.replace(before, after), *computed) == page


def test_unknown_names_and_rows_are_refused(page, computed):
    with pytest.raises(KeyError):
        explained_numbers.fill("a <!--no.such-->1<!---->", *computed)
    with pytest.raises(ValueError, match="found 1 rows, expected 3"):
        explained_numbers.fill("<!-- numbers: blocks -->\n\n| a | b |\n| --- | --- |\n| x | 1 |\n", *computed)


def test_no_number_stands_outside_of_a_mark(page):
    text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    text = re.sub(r"<!-- numbers: .*?(?=\n\n[^|])", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--[a-z].*?<!---->", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)|`[^`]*`|<!--.*?-->", "", text)
    left = set(re.findall(r"\d[\d,.]*\d|\d", STRUCTURE.sub("", text)))
    assert left <= DESIGN


def test_every_value_is_used(computed, docs):
    text = (docs / explained_numbers.PAGES[0]).read_text(encoding="utf-8")
    values, tables = computed
    assert {name for name in values if f"<!--{name}-->" not in text} == set()
    assert {name for name in tables if f"<!-- numbers: {name} -->" not in text} == set()


def test_pictures_are_drawn_from_the_description(docs):
    for name, figure in draw_hrnet.pictures().items():
        assert len(draw_hrnet.as_svg(figure)) < 200_000
        assert (docs / "images" / name).stat().st_size < 200_000
    texts = [text.get_text() for text in draw_hrnet.draw_network(find_arch("w48"), (192, 256)).axes[0].texts]
    assert sum(text == "4\nblocks" for text in texts) == 2 + 4 * 3 + 3 * 4
    assert "branch 4\n384 channels\n6x8, stride 32" in texts


def test_a_1x1_convolution_and_nearest_enlargement_can_be_swapped():
    torch.manual_seed(0)
    convolution, enlarge = nn.Conv2d(64, 32, 1, bias=False).double(), nn.Upsample(scale_factor=2)
    x = torch.randn(1, 64, 8, 6, dtype=torch.float64)
    torch.testing.assert_close(enlarge(convolution(x)), convolution(enlarge(x)), rtol=0, atol=1e-12)


def extra(**widths: tuple[int, ...]) -> dict:
    """A small network with these widths in stages 2 to 4."""
    stages = {}
    for name, channels in {"stage1": (2,), **widths}.items():
        stages[name] = {
            "num_modules": 1,
            "num_branches": len(channels),
            "block": "BOTTLENECK" if name == "stage1" else "BASIC",
            "num_blocks": (1,) * len(channels),
            "num_channels": channels,
        }
    stages["stage4"]["multiscale_output"] = True
    return stages


@pytest.mark.parametrize(
    "widths",
    [
        {"stage2": (8, 16), "stage3": (12, 24, 48), "stage4": (12, 24, 48, 96)},
        {"stage2": (8, 8), "stage3": (12, 12, 12), "stage4": (12, 12, 12, 12)},
    ],
    ids=["falling widths", "equal widths"],
)
def test_existing_branches_that_change_their_width(widths):
    """Ours takes the branch itself; mmpose and timm the last, whose size does not fit."""
    from mmpose.models.backbones import HRNet as Mmpose
    from timm.models.hrnet import HighResolutionNet

    image = torch.rand(1, 3, 64, 64)
    outputs = HRNet(read_extra(extra(**widths)))(image)
    assert [out.shape[1] for out in outputs] == list(widths["stage4"])
    with pytest.raises(RuntimeError):
        Mmpose(extra=extra(**widths))(image)
    config = {
        name: {"block_type" if key == "block" else key: value for key, value in stage.items()} | {"fuse_method": "SUM"}
        for name, stage in extra(**widths).items()
    }
    with pytest.raises(RuntimeError):
        HighResolutionNet(dict(stem_width=64, **config), head="")(image)


@pytest.mark.parametrize(("stage", "branch"), [(2, 0), (2, 1), (3, 0), (3, 2)])
def test_receptive_fields_are_those_of_gradients(stage, branch):
    """With positive weights nothing cancels: what has a gradient is what is seen."""
    spec = HRNetSpec.of_width(2, num_modules=(1,) * stage, num_blocks=1, stage1_width=2, stem_width=2)
    network = HRNet(spec).double().eval()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    image = torch.ones(1, 3, 512, 512, dtype=torch.float64, requires_grad=True)
    out = network(image)[branch]
    row, column = out.shape[2] // 2, out.shape[3] // 2
    widest = 0
    for phase in range(8):
        (gradient,) = torch.autograd.grad(out[0, 0, row, column + phase - 4], image, retain_graph=True)
        seen = gradient.abs().sum((0, 1, 2)).nonzero()
        widest = max(widest, int(seen.max() - seen.min()) + 1)
    assert widest == receptive_field(network, stage=stage, branch=branch)
    alone = receptive_field(network, stage=stage, branch=0, exchange=False)
    assert alone < receptive_field(network, stage=stage, branch=0)
