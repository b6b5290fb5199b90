"""OpenMMLab's `extra` is read as each framework reads it; wrong ones are refused by key."""

from __future__ import annotations

import copy

import pytest

from hrnet_plugin.archs import CONVENTIONS, ZOO, read_extra
from hrnet_plugin.errors import SpecError


@pytest.fixture
def extra() -> dict:
    """W32 as OpenMMLab's configs write it."""
    stages = {"stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": (4,)}}
    stages["stage1"]["num_channels"] = (64,)
    for number, modules in ((2, 1), (3, 4), (4, 3)):
        stages[f"stage{number}"] = {
            "num_modules": modules,
            "num_branches": number,
            "block": "BASIC",
            "num_blocks": (4,) * number,
            "num_channels": tuple(32 * 2**branch for branch in range(number)),
        }
    return stages


def test_extra_is_the_preset(extra):
    assert read_extra(extra) == ZOO["w32"]


def test_what_extra_leaves_out_follows_the_framework(extra):
    read = {name: read_extra(extra, conventions) for name, conventions in CONVENTIONS.items()}
    assert read["mmpose"] == ZOO["w32"].with_choices(multiscale_output=False)
    assert read["mmseg"] == ZOO["w32"].with_choices(upsample_mode="bilinear")
    assert read["mmdet"] == read["mmpretrain"] == ZOO["w32"]


def test_what_extra_says_wins_over_the_framework(extra):
    extra["stage4"]["multiscale_output"] = True
    extra["upsample"] = {"mode": "bilinear", "align_corners": False}
    expected = ZOO["w32"].with_choices(upsample_mode="bilinear")
    assert read_extra(extra, CONVENTIONS["mmpose"]) == expected


def test_reading_leaves_extra_as_it_was(extra):
    before = copy.deepcopy(extra)
    read_extra(extra)
    assert extra == before


def test_each_branch_may_have_its_own_block_depth_and_width(extra):
    extra["stage2"].update(block=("BASIC", "BOTTLENECK"), num_blocks=(1, 3), num_channels=(20, 30))
    branches = read_extra(extra).stages[1].branches
    assert [(b.block, b.num_blocks, b.width, b.out_channels) for b in branches] == [
        ("BASIC", 1, 20, 20),
        ("BOTTLENECK", 3, 30, 120),
    ]


def test_the_originals_fuse_method_in_the_stages(extra):
    for stage in extra.values():
        stage["fuse_method"] = "SUM"
    assert read_extra(extra).fuse_method == "sum"
    extra["stage3"]["fuse_method"] = "CONCAT"
    with pytest.raises(SpecError, match="fuse_method: found concat, sum, expected one for all stages"):
        read_extra(extra)


def _set(stage: str, **values: object):
    return lambda extra: extra[stage].update(values)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda extra: extra.update(stage2b={}), "extra.stage2b: found an unknown key"),
        (lambda extra: extra.update(upsampel={}), "extra.upsampel: found an unknown key. Did you mean 'upsample'?"),
        (lambda extra: extra.update(upsample={"modus": 1}), "extra.upsample.modus: found an unknown key"),
        (lambda extra: extra.pop("stage3"), "extra: found stage1, stage2, stage4, expected"),
        (lambda extra: extra.clear(), "extra: found no stage"),
        (lambda extra: extra.update(stage2=3), "extra.stage2: found int, expected a dict"),
        (lambda extra: extra["stage2"].pop("block"), "extra.stage2.block: found nothing, expected a value"),
        (_set("stage3", num_block=1), "extra.stage3.num_block: found an unknown key. Did you mean 'num_blocks'"),
        (_set("stage3", num_blocks=(4, 4)), "extra.stage3.num_blocks: found 2 values (4, 4), expected 3"),
        (_set("stage3", num_channels=(32, 64)), "extra.stage3.num_channels: found 2 values (32, 64), expected 3"),
        (_set("stage4", num_branches=5), "extra.stage4.num_blocks: found 4 values (4, 4, 4, 4), expected 5"),
        (_set("stage4", block="BASIK"), "extra.stage4.block[0]: found 'BASIK', expected one of BASIC, BOTTLENECK"),
        (_set("stage4", block=("BASIC",)), "extra.stage4.block: found 1 values ('BASIC',), expected 4"),
        (_set("stage4", num_blocks=4), "extra.stage4.num_blocks: found 4, expected a list of 4"),
        (_set("stage4", num_channels=(32, 64, 128, -1)), "extra.stage4.num_channels[3]: found -1, expected"),
        (_set("stage4", num_modules=0), "extra.stage4.num_modules: found 0, expected"),
        (_set("stage4", multiscale_output=1), "multiscale_output: found 1, expected True or False"),
    ],
)
def test_a_wrong_extra_is_refused_by_key_in_one_line(extra, spoil, message):
    spoil(extra)
    with pytest.raises(SpecError) as error:
        read_extra(extra)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
