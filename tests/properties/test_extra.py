"""`extra` as OpenMMLab writes it: read and built as it says, or refused in a line, whatever stands in it."""

from __future__ import annotations

import pytest
import torch
from bounds import outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from junk import spoilt

from hrnet_plugin.archs import CONVENTIONS, HRNetSpec, LiteHRNetSpec, read_extra
from hrnet_plugin.archs.lite_openmmlab import read_lite_extra
from hrnet_plugin.errors import SpecError
from hrnet_plugin.models import HRNet, LiteHRNet

#: So few that a network of them is built in milliseconds.
_BLOCKS, _WIDEST = 12, 16


def stage(branches: st.SearchStrategy[int]) -> st.SearchStrategy[dict]:
    """One stage, its lists as long as it has branches."""
    return branches.flatmap(
        lambda count: st.fixed_dictionaries(
            {
                "num_modules": st.just(1),
                "num_branches": st.just(count),
                "block": st.sampled_from(("BASIC", "BOTTLENECK", "basic")),
                "num_blocks": st.lists(st.integers(1, 2), min_size=count, max_size=count).map(tuple),
                "num_channels": st.lists(st.integers(1, 8), min_size=count, max_size=count),
            },
            optional={"fuse_method": st.sampled_from(("SUM", "sum"))},
        )
    )


EXTRAS = st.fixed_dictionaries(
    {"stage1": stage(st.just(1)), "stage2": stage(st.just(2)), "stage3": stage(st.integers(2, 3))},
    optional={
        "upsample": st.sampled_from(({"mode": "bilinear", "align_corners": False}, {"mode": "nearest"}, {})),
        "stage4": stage(st.just(3)),
    },
)


@st.composite
def lite_extras(draw) -> dict:
    """`extra` of a Lite-HRNet of one to three stages."""
    count = draw(st.integers(1, 3))

    def column(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=count, max_size=count))

    branches = sorted(column(st.integers(1, 3)))
    return {
        "stem": {"stem_channels": 8, "out_channels": 8, "expand_ratio": draw(st.sampled_from((1, 0.5)))},
        "num_stages": count,
        "with_head": draw(st.booleans()),
        "stages_spec": {
            "num_modules": tuple(column(st.just(1))),
            "num_branches": branches,
            "num_blocks": column(st.just(1)),
            "module_type": column(st.sampled_from(("LITE", "NAIVE"))),
            "with_fuse": column(st.booleans()),
            "reduce_ratios": column(st.integers(1, 4)),
            "num_channels": [[8 * 2**index for index in range(number)] for number in branches],
        },
    }


@tries(15, 1500)
@given(EXTRAS, st.sampled_from(sorted(CONVENTIONS)))
def test_a_network_is_built_as_its_extra_says(extra, framework):
    spec = outcome(lambda: read_extra(extra, CONVENTIONS[framework]))
    net = outcome(lambda: HRNet(spec).eval())
    with torch.no_grad():
        found = outcome(lambda: net(torch.zeros(1, 3, 32, 64)))
    assert [one.shape[1] for one in found] == list(spec.out_channels)
    assert [(32 // one.shape[2], 64 // one.shape[3]) for one in found] == [(one, one) for one in spec.out_strides]


# Without an extra, it is a network of the usual size.
@tries(60, 15000)
@given(spoilt(EXTRAS).filter(lambda extra: extra is not None))
def test_a_spoilt_extra_is_built_or_refused(extra):
    spec = outcome(lambda: read_extra(extra))
    assert isinstance(spec, (HRNetSpec, SpecError))
    if isinstance(spec, SpecError) or _is_small(spec):
        built = outcome(lambda: HRNet(extra=extra))
        assert isinstance(built, SpecError if isinstance(spec, SpecError) else HRNet)


@tries(60, 15000)
@given(spoilt(lite_extras()).filter(lambda extra: extra is not None))
def test_a_spoilt_extra_of_a_lite_network_is_built_or_refused(extra):
    spec = outcome(lambda: read_lite_extra(extra))
    assert isinstance(spec, (LiteHRNetSpec, SpecError))
    if isinstance(spec, SpecError) or _is_small_lite(spec):
        built = outcome(lambda: LiteHRNet(extra=extra))
        assert isinstance(built, SpecError if isinstance(spec, SpecError) else LiteHRNet)


@pytest.mark.parametrize("number", ["num_modules", "num_branches"])
def test_a_network_without_measure_is_refused_before_it_is_built(number):
    branch = {"num_modules": 1, "num_branches": 1, "block": "BASIC", "num_blocks": [1], "num_channels": [4]}
    found = outcome(lambda: HRNet(extra={"stage1": branch, "stage2": {**branch, number: 10**12}}))
    assert isinstance(found, SpecError)


@pytest.mark.parametrize("width", [10**6, 10**300])
def test_a_network_of_any_width_is_refused_before_it_is_built(width):
    branch = {"num_modules": 1, "num_branches": 1, "block": "BASIC", "num_blocks": [1], "num_channels": [width]}
    found = outcome(lambda: HRNet(extra={"stage1": branch, "stage2": branch}))
    assert "weights or more" in str(found)


def _is_small(spec: HRNetSpec) -> bool:
    branches = [(stage.num_modules, branch) for stage in spec.stages for branch in stage.branches]
    blocks = sum(modules * branch.num_blocks for modules, branch in branches)
    return blocks <= 3 * _BLOCKS and max(branch.width for _, branch in branches) <= _WIDEST


def _is_small_lite(spec: LiteHRNetSpec) -> bool:
    blocks = sum(stage.num_modules * stage.num_blocks for stage in spec.stages)
    widest = max(spec.stem.mid_channels, spec.stem.out_channels, *(max(stage.channels) for stage in spec.stages))
    return blocks <= _BLOCKS and widest <= 8 * _WIDEST
