"""The same keys do not make the same network."""

from __future__ import annotations

import pytest
from torch import nn

from hrnet_plugin import nets
from hrnet_plugin.archs import LITE_ZOO, HRNetSpec
from hrnet_plugin.archs.spec import FUSE_METHODS
from hrnet_plugin.checkpoints.loading.same_keys import other_outputs, spec_of_network
from hrnet_plugin.checkpoints.network_meta import describe_network

SPEC = HRNetSpec.of_width(4, num_modules=(1, 1), num_blocks=1, stage1_width=4)
BILINEAR = SPEC.with_choices(upsample_mode="bilinear")


def inside(spec: HRNetSpec) -> nn.Module:
    """A model with such a backbone."""
    return nn.ModuleDict({"backbone": nets.HRNet(spec)})


@pytest.mark.parametrize(
    ("trained", "loaded", "words"),
    [
        (SPEC, BILINEAR, ("a network with upsample_mode='nearest'", "this one has upsample_mode='bilinear'")),
        (BILINEAR, SPEC, ("a network with upsample_mode='bilinear'", "this one has upsample_mode='nearest'")),
        (BILINEAR, BILINEAR.with_choices(align_corners=True), ("align_corners=False", "align_corners=True")),
        (SPEC, SPEC.with_choices(fuse_method=FUSE_METHODS[1]), ("fuse_method='sum'", "fuse_method='mean'")),
    ],
)
def test_what_differs_is_said_in_one_line(trained, loaded, words):
    line = other_outputs(describe_network(trained), inside(loaded))
    assert line.startswith("same keys, other outputs: by its metadata")
    assert "\n" not in line
    for word in words:
        assert word in line


def test_equal_and_unknown_networks_are_no_news():
    assert other_outputs(describe_network(BILINEAR), inside(BILINEAR)) is None
    assert other_outputs(describe_network(SPEC), inside(SPEC.with_choices(multiscale_output=False))) is None
    assert other_outputs({}, inside(BILINEAR)) is None
    assert other_outputs(describe_network(SPEC), nn.Linear(1, 1)) is None
    assert other_outputs(describe_network(LITE_ZOO["litehrnet_18"]), inside(SPEC)) is None


def test_others_metadata_count_where_there_is_none_of_ours():
    line = other_outputs({"mmseg_version": "1.2.2"}, inside(SPEC))
    assert "by the convention of mmseg the weights are of a network with upsample_mode='bilinear'" in line
    both = {"mmseg_version": "1.2.2", **describe_network(SPEC)}
    assert other_outputs(both, inside(SPEC)) is None


def test_the_backbone_is_found_inside_a_model():
    assert spec_of_network(inside(SPEC)) == SPEC
    assert spec_of_network(nets.LiteHRNet(LITE_ZOO["litehrnet_naive"])) == LITE_ZOO["litehrnet_naive"]
    assert spec_of_network(nn.Linear(1, 1)) is None
