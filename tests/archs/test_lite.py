"""The description of a Lite-HRNet: published rows, mmpose's `extra`, derived values, and each way to get it wrong."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from hrnet_plugin.archs import (
    LITE_ZOO,
    ZOO,
    LiteHRNetSpec,
    LiteStageSpec,
    LiteStemSpec,
    find_arch,
    find_lite_arch,
    read_extra,
    read_lite_extra,
)
from hrnet_plugin.errors import SpecError


@pytest.fixture
def extra() -> dict:
    """Lite-HRNet-18 as mmpose's configs write it."""
    return {
        "stem": {"stem_channels": 32, "out_channels": 32, "expand_ratio": 1},
        "num_stages": 3,
        "stages_spec": {
            "num_modules": (2, 4, 2),
            "num_branches": (2, 3, 4),
            "num_blocks": (2, 2, 2),
            "module_type": ("LITE", "LITE", "LITE"),
            "with_fuse": (True, True, True),
            "reduce_ratios": (8, 8, 8),
            "num_channels": ((40, 80), (40, 80, 160), (40, 80, 160, 320)),
        },
        "with_head": True,
    }


def test_extra_is_the_preset(extra):
    before = copy.deepcopy(extra)
    assert read_lite_extra(extra) == LITE_ZOO["litehrnet_18"]
    assert extra == before
    extra["stages_spec"]["num_modules"] = (3, 8, 3)
    assert read_lite_extra(extra) == LITE_ZOO["litehrnet_30"]


def test_the_reduce_ratio_of_a_naive_stage_means_nothing(extra):
    extra["stages_spec"].update(module_type=["naive"] * 3, reduce_ratios=(1, 1, 1))
    assert read_lite_extra(extra) == LITE_ZOO["litehrnet_wider_naive"]
    extra["stages_spec"]["reduce_ratios"] = (8, 4, 2)
    assert read_lite_extra(extra) == LITE_ZOO["litehrnet_wider_naive"]


def test_stages_may_differ(extra):
    extra["stages_spec"].update(module_type=("NAIVE", "LITE", "LITE"), with_fuse=(True, False, True))
    extra["stages_spec"].update(num_blocks=(1, 2, 3), reduce_ratios=(1, 4, 8))
    spec = read_lite_extra({**extra, "with_head": False})
    assert [stage.module_type for stage in spec.stages] == ["NAIVE", "LITE", "LITE"]
    assert [stage.with_fuse for stage in spec.stages] == [True, False, True]
    assert [stage.num_blocks for stage in spec.stages] == [1, 2, 3]
    assert [stage.reduce_ratio for stage in spec.stages] == [1, 4, 8]
    assert not spec.with_head


def test_the_rows_of_the_zoo_are_the_published_networks():
    assert {name: spec.out_channels for name, spec in LITE_ZOO.items()} == {
        "litehrnet_18": (40,),
        "litehrnet_30": (40,),
        "litehrnet_naive": (30,),
        "litehrnet_wider_naive": (40,),
    }
    assert [stage.channels for stage in LITE_ZOO["litehrnet_naive"].stages][-1] == (30, 60, 120, 240)


def test_outputs_are_one_or_all_scales_and_the_head_narrows_them():
    spec = LITE_ZOO["litehrnet_18"].with_choices(multiscale_output=True)
    assert (spec.out_channels, spec.out_strides) == ((40, 40, 80, 160), (4, 8, 16, 32))
    assert spec.with_choices(with_head=False).out_channels == (40, 80, 160, 320)
    assert (LITE_ZOO["litehrnet_18"].out_channels, LITE_ZOO["litehrnet_18"].out_strides) == ((40,), (4,))


def test_a_spec_is_frozen_and_equal_by_value():
    assert LiteHRNetSpec.of_width(40) == LITE_ZOO["litehrnet_18"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        LITE_ZOO["litehrnet_18"].with_head = False


def stage(*channels: int, **choices: object) -> LiteStageSpec:
    return LiteStageSpec(channels, **choices)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: stage(), "num_branches: found 0"),
        (lambda: stage(40, 81), "num_channels[1]: found 81, expected an even number"),
        (lambda: stage(40, 80.0), "num_channels[1]: found 80.0, expected a whole number"),
        (lambda: stage(6), "num_channels[0]: found 6, expected at least 8 in a LITE module"),
        (lambda: stage(40, 80, reduce_ratio=61), "reduce_ratio: found 61, expected at most 60"),
        (lambda: stage(40, module_type="LIGHT"), "module_type: found 'LIGHT', expected one of LITE, NAIVE"),
        (lambda: stage(40, num_blocks=0), "num_blocks: found 0"),
        (lambda: stage(40, num_modules=True), "num_modules: found True"),
        (lambda: stage(40, with_fuse=1), "with_fuse: found 1, expected True or False"),
        (lambda: LiteStemSpec(stem_channels=31), "stem.stem_channels: found 31, expected an even number"),
        (lambda: LiteStemSpec(32, 30), "stem.out_channels: found 30, expected at least the 32 of stem_channels"),
        (lambda: LiteStemSpec(expand_ratio=0), "stem.expand_ratio: found 0, expected a positive number"),
        (lambda: LiteStemSpec(expand_ratio="2"), "stem.expand_ratio: found '2', expected a positive number"),
        (lambda: LiteHRNetSpec(()), "num_stages: found 0"),
        (
            lambda: LiteHRNetSpec((stage(40, 80), stage(40))),
            "stage1.num_branches: found 1, expected at least the 2 of stage0",
        ),
        (lambda: LiteHRNetSpec.of_width(40, with_head="yes"), "with_head: found 'yes'"),
        (lambda: LiteHRNetSpec.of_width(40, multiscale_output=1), "multiscale_output: found 1"),
        (lambda: LITE_ZOO["litehrnet_18"].with_choices(with_haed=True), "with_haed: found no such field. Did you mean"),
        (lambda: find_lite_arch("litehrnet_31"), "found 'litehrnet_31', expected a preset of LiteHRNet. Did you mean"),
        (lambda: find_lite_arch(18), "arch: found 18, expected a preset of LiteHRNet. "),
        (lambda: find_lite_arch("w32"), "found 'w32', expected a preset of LiteHRNet. Use type='hrnet_plugin.HRNet'"),
        (
            lambda: find_lite_arch(ZOO["w32"]),
            "found a HRNetSpec, expected a preset of LiteHRNet. Use type='hrnet_plugi",
        ),
        (
            lambda: find_arch("litehrnet_18"),
            "found 'litehrnet_18', expected a preset of HRNet. Use type='hrnet_plugin.LiteHRNet' for it",
        ),
    ],
)
def test_a_wrong_description_is_one_line_that_names_the_field(build, message):
    with pytest.raises(SpecError) as error:
        build()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def _stages(**values: object):
    return lambda extra: extra["stages_spec"].update(values)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda extra: extra.update(with_haed=True),
            "extra.with_haed: found an unknown key. Did you mean 'with_head'?",
        ),
        (lambda extra: extra.pop("stem"), "extra.stem: found nothing, expected a value"),
        (lambda extra: extra.update(stem=32), "extra.stem: found int, expected a dict with stem_channels"),
        (
            lambda extra: extra["stem"].update(ratio=1),
            "extra.stem.ratio: found an unknown key. Did you mean 'expand_ratio",
        ),
        (lambda extra: extra["stem"].update(stem_channels=3), "extra.stem.stem_channels: found 3, expected an even"),
        (
            lambda extra: extra.update(num_stages=2),
            "extra.stages_spec.num_modules: found 3 values (2, 4, 2), expected 2",
        ),
        (lambda extra: extra.update(num_stages="3"), "extra.num_stages: found '3', expected a whole number"),
        (lambda extra: extra.update(with_head=None), "with_head: found None, expected True or False"),
        (lambda extra: extra["stages_spec"].pop("with_fuse"), "extra.stages_spec.with_fuse: found nothing"),
        (_stages(reduce_ratio=8), "extra.stages_spec.reduce_ratio: found an unknown key. Did you mean 'reduce_ratios'"),
        (_stages(num_blocks=2), "extra.stages_spec.num_blocks: found 2, expected a list of 3, one for each stage"),
        (
            _stages(num_branches=(2, 3, 5)),
            "extra.stages_spec.num_channels[2]: found 4 values (40, 80, 160, 320), expec",
        ),
        (_stages(num_branches=(2, 3, 0)), "extra.stages_spec.num_branches[2]: found 0"),
        (_stages(module_type=("LITE", "LITE", "HEAVY")), "extra.stages_spec.module_type[2]: found 'HEAVY'"),
        (_stages(reduce_ratios=(8, 0, 8)), "extra.stages_spec.reduce_ratios[1]: found 0"),
        (
            _stages(num_channels=((40, 80), (40, 80, 159), (40, 80, 160, 320))),
            "extra.stages_spec.num_channels[1][2]: found 159, expected an even number",
        ),
    ],
)
def test_a_wrong_extra_is_refused_by_key_in_one_line(extra, spoil, message):
    spoil(extra)
    with pytest.raises(SpecError) as error:
        read_lite_extra(extra)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_extra_of_the_other_class_names_that_class(extra):
    with pytest.raises(SpecError, match=r"the stages of a Lite-HRNet.*Use type='hrnet_plugin\.LiteHRNet'"):
        read_extra(extra)
    with pytest.raises(SpecError, match=r"the stages of an HRNet.*Use type='hrnet_plugin\.HRNet'"):
        read_lite_extra({"stage1": {}, "stage2": {}})
    with pytest.raises(SpecError, match="extra: found str, expected a dict with stem"):
        read_lite_extra("litehrnet_18")
