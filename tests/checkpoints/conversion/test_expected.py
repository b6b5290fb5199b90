"""The network is told from the names and shapes of its weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin.archs import LITE_ZOO, ZOO, BranchSpec, HRNetSpec, LiteHRNetSpec, LiteStemSpec, StageSpec
from hrnet_plugin.checkpoints.conversion.expected import backbone_shapes, find_spec, name_network, shapes_of
from hrnet_plugin.checkpoints.conversion.structure import read_spec
from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.nets import HRNet, Layers

ODD = HRNetSpec(
    (
        StageSpec((BranchSpec("BASIC", 2, 24),)),
        StageSpec((BranchSpec("BASIC", 1, 8), BranchSpec("BOTTLENECK", 3, 4)), 2),
        StageSpec((BranchSpec("BASIC", 1, 8), BranchSpec("BASIC", 2, 12), BranchSpec("BASIC", 1, 20)), 1),
        StageSpec((BranchSpec("BASIC", 2, 10), BranchSpec("BASIC", 2, 12), BranchSpec("BASIC", 1, 20)), 3),
        StageSpec(tuple(BranchSpec("BASIC", 1, 6 + index) for index in range(5)), 1),
    ),
    stem_width=20,
)


@pytest.mark.parametrize("several", [True, False], ids=["all scales", "one scale"])
@pytest.mark.parametrize("spec", [*ZOO.values(), ODD], ids=[*ZOO, "odd"])
def test_an_hrnet_is_told_from_its_shapes(spec, several):
    spec = spec.with_choices(multiscale_output=several)
    shapes = backbone_shapes(spec, {})
    assert read_spec(shapes) == spec
    assert find_spec(shapes) == spec
    assert (spec in ZOO.values() or not several) or name_network(spec) == "HRNet of no preset, all scales"


@pytest.mark.parametrize(
    "spec",
    [
        *LITE_ZOO.values(),
        LiteHRNetSpec.of_width(24, (1, 2), with_head=False),
        LiteHRNetSpec.of_width(16, (1, 1, 1), "NAIVE", stem=LiteStemSpec(16, 24, 1.5)),
    ],
    ids=[*LITE_ZOO, "without head", "another stem"],
)
def test_a_lite_hrnet_is_told_from_its_shapes(spec):
    shapes = backbone_shapes(spec, {})
    assert read_spec(shapes) == spec
    assert find_spec(shapes) == spec
    assert name_network(spec).startswith("LiteHRNet ")


def test_concatenation_other_images_and_group_norm():
    concat = ZOO["w18_small_v1"].with_choices(fuse_method="concat")
    assert find_spec(backbone_shapes(concat, {})) == concat
    with torch.device("meta"):
        layers = Layers(norm=lambda channels: nn.GroupNorm(2, channels), norm_name="gn")
        net = HRNet(ZOO["w18_small_v1"], in_channels=5, layers=layers)
    shapes = shapes_of(net.state_dict())
    assert backbone_shapes(find_spec(shapes), shapes) == shapes


def cut(spec: HRNetSpec, *lost: str) -> dict[str, tuple[int, ...]]:
    return {key: shape for key, shape in backbone_shapes(spec, {}).items() if not key.startswith(lost)}


def test_what_is_left_of_a_preset_is_that_preset():
    for name in ("w18", "w48"):
        for lost in ("stage4.", "conv1.", "layer1.", "stage3.2.branches.1.", "stage4.2.branches.3.3."):
            assert find_spec(cut(ZOO[name], lost)).stages == ZOO[name].stages, (name, lost)


def test_a_smaller_network_counts_as_one_where_it_is_described():
    three = HRNetSpec.of_width(18, num_modules=(1, 1, 4))
    shapes = backbone_shapes(three, {})
    assert len(find_spec(shapes).stages) == 4
    assert find_spec(shapes, three) == three
    # A description that does not fit is not believed.
    assert find_spec(backbone_shapes(ZOO["w32"], {}), three) == ZOO["w32"]
    # Without one: whole, of four stages, and of no preset.
    two = HRNetSpec.of_width(32, num_modules=(1, 1, 2, 2))
    assert find_spec(backbone_shapes(two, {})) == two


def test_damage_that_no_preset_explains_is_measured_against_the_nearest():
    shapes = {**backbone_shapes(ZOO["w32"], {}), "stage2.0.branches.7.0.conv1.weight": (3, 3)}
    del shapes["conv1.weight"]
    assert find_spec(shapes) == ZOO["w32"]


def test_weights_of_another_family_are_no_network():
    with pytest.raises(CheckpointError, match="backbone: found no network in its 2 weights"):
        find_spec({"conv1.weight": (64, 3, 7, 7), "layer4.0.conv1.weight": (512, 256, 3, 3)})
