"""The description: defaults, derived values, and each way to get it wrong."""

from __future__ import annotations

import dataclasses

import pytest

from hrnet_plugin.archs import ZOO, BranchSpec, Fusion, HRNetSpec, StageSpec, find_arch
from hrnet_plugin.errors import SpecError


def basic(*widths: int) -> StageSpec:
    """A stage of one module with basic blocks of the given widths."""
    return StageSpec(tuple(BranchSpec("BASIC", 1, width) for width in widths))


def test_of_width_is_the_published_w32():
    spec = HRNetSpec.of_width(32)
    assert [stage.num_modules for stage in spec.stages] == [1, 1, 4, 3]
    assert [stage.out_channels for stage in spec.stages] == [(256,), (32, 64), (32, 64, 128), (32, 64, 128, 256)]
    assert spec.out_strides == (4, 8, 16, 32)
    assert {branch.num_blocks for stage in spec.stages for branch in stage.branches} == {4}


def test_a_spec_is_frozen_and_equal_by_value():
    assert HRNetSpec.of_width(18) == ZOO["w18"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        ZOO["w18"].stem_width = 32


def test_every_row_of_the_zoo_has_its_name_width():
    widths = {name: spec.out_channels[0] for name, spec in ZOO.items()}
    assert widths.pop("w18_small_v1") == 16  # the authors' name says 18, their weights have 16
    assert widths.pop("w18_small_v2") == 18
    assert widths == {name: int(name[1:]) for name in widths}
    assert set(widths) == {"w18", "w30", "w32", "w40", "w44", "w48", "w60", "w64"}


@pytest.mark.parametrize("name", ["w23", 32, ""])
def test_an_unknown_arch_is_refused_with_the_nearest(name):
    with pytest.raises(SpecError, match="arch: found") as error:
        find_arch(name)
    assert "\n" not in str(error.value)
    assert "w32" in str(error.value)


def test_single_scale_gives_the_highest_resolution_alone():
    spec = ZOO["w48"].with_choices(multiscale_output=False)
    assert spec.out_channels == (48,)
    assert spec.out_strides == (4,)


def test_with_choices_leaves_none_alone_and_refuses_strangers():
    spec = ZOO["w18"].with_choices(upsample_mode="bilinear", fuse_method=None)
    assert (spec.upsample_mode, spec.fuse_method) == ("bilinear", "sum")
    with pytest.raises(SpecError, match=r"upsample_mod.*Did you mean 'upsample_mode'"):
        ZOO["w18"].with_choices(upsample_mod="nearest")


@pytest.mark.parametrize(("given", "read"), [("SUM", "sum"), ("AVG", "mean"), ("mean", "mean"), ("CONCAT", "concat")])
def test_fuse_methods_of_the_original_are_understood(given, read):
    assert Fusion(given).method == read
    assert ZOO["w18"].with_choices(fuse_method=given).fuse_method == read


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BranchSpec("BASIK", 1, 8), "block: found 'BASIK', expected one of BASIC, BOTTLENECK"),
        (lambda: BranchSpec("BASIC", 0, 8), "num_blocks: found 0, expected a whole number of at least 1"),
        (lambda: BranchSpec("BASIC", 1, 8.0), "num_channels: found 8.0"),
        (lambda: BranchSpec("BASIC", True, 8), "num_blocks: found True"),
        (lambda: StageSpec(()), "num_branches: found 0"),
        (lambda: HRNetSpec((basic(8),)), "stages: found 1, expected at least 2"),
        (lambda: HRNetSpec((basic(8, 16), basic(8, 16))), "stage1: found 2 branches"),
        (
            lambda: HRNetSpec((basic(8), basic(8, 16), basic(8))),
            "stage3.num_branches: found 1, expected at least the 2",
        ),
        (lambda: HRNetSpec.of_width(18, fuse_method="max"), "fuse_method: found 'max'"),
        (lambda: HRNetSpec.of_width(18, upsample_mode="cubic"), "upsample_mode: found 'cubic'"),
        (lambda: HRNetSpec.of_width(18, align_corners=True), "align_corners: found True with upsample_mode='nearest'"),
        (lambda: HRNetSpec.of_width(18, multiscale_output="yes"), "multiscale_output: found 'yes'"),
        (lambda: HRNetSpec.of_width(18, num_blocks=(4, 4)), "num_blocks: found 2 values, expected 4"),
        (lambda: HRNetSpec.of_width(0), "width: found 0"),
    ],
)
def test_a_wrong_description_is_one_line_that_names_the_field(build, message):
    with pytest.raises(SpecError) as error:
        build()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
