"""Descriptions of architectures: valid ones survive being written and read, all others are refused in a line."""

from __future__ import annotations

from bounds import outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from junk import JUNK, spoilt

from hrnet_plugin.archs import HRNetSpec, LiteHRNetSpec
from hrnet_plugin.archs.lite import LiteStageSpec, LiteStemSpec
from hrnet_plugin.archs.plain_spec import spec_from_plain, spec_to_plain
from hrnet_plugin.archs.spec import BranchSpec, StageSpec
from hrnet_plugin.errors import SpecError, UserError

WIDTHS = st.sampled_from((1, 2, 3, 8, 18, 48))
BRANCHES = st.builds(BranchSpec, st.sampled_from(("BASIC", "BOTTLENECK")), st.integers(1, 3), WIDTHS)
FIRST = st.builds(lambda branch: StageSpec((branch,)), BRANCHES)


@st.composite
def hrnets(draw) -> HRNetSpec:
    """Any valid HRNet of up to four stages."""
    stages, count = [draw(FIRST)], 1
    for _ in range(draw(st.integers(1, 3))):
        count = draw(st.integers(count, min(count + 2, 4)))
        branches = draw(st.lists(BRANCHES, min_size=count, max_size=count))
        stages.append(StageSpec(tuple(branches), draw(st.integers(1, 3))))
    return HRNetSpec(
        tuple(stages),
        stem_width=draw(WIDTHS),
        fuse_method=draw(st.sampled_from(("sum", "mean", "concat"))),
        upsample_mode=draw(st.sampled_from(("nearest", "bilinear"))),
        multiscale_output=draw(st.booleans()),
    )


@st.composite
def lite_hrnets(draw) -> LiteHRNetSpec:
    """Any valid Lite-HRNet of up to three stages."""
    stages, count = [], 1
    for _ in range(draw(st.integers(1, 3))):
        count = draw(st.integers(count, min(count + 2, 4)))
        channels = [2 * draw(st.integers(4, 20)) for _ in range(count)]
        kind, ratio = draw(st.sampled_from(("LITE", "NAIVE"))), draw(st.integers(1, 4))
        stages.append(LiteStageSpec(tuple(channels), draw(st.integers(1, 2)), 1, kind, draw(st.booleans()), ratio))
    stem = LiteStemSpec(2 * draw(st.integers(1, 8)), 32, draw(st.sampled_from((0.5, 1, 2))))
    return LiteHRNetSpec(tuple(stages), stem, draw(st.booleans()), draw(st.booleans()))


SPECS = st.one_of(hrnets(), lite_hrnets())


@tries(60, 4000)
@given(SPECS)
def test_a_description_comes_back_as_it_was_written(spec):
    assert outcome(lambda: spec_from_plain(spec_to_plain(spec))) == spec
    assert len(spec.out_channels) == len(spec.out_strides)


@tries(150, 30000)
@given(spoilt(SPECS.map(spec_to_plain)))
def test_a_spoilt_description_is_read_or_refused(plain):
    found = outcome(lambda: spec_from_plain(plain))
    assert isinstance(found, (HRNetSpec, LiteHRNetSpec, SpecError))
    if not isinstance(found, SpecError):
        assert spec_from_plain(spec_to_plain(found)) == found


@tries(100, 20000)
@given(SPECS, st.sampled_from(sorted({*HRNetSpec.__dataclass_fields__, *LiteHRNetSpec.__dataclass_fields__})), JUNK)
def test_a_choice_of_any_value_fits_or_is_refused(spec, field, value):
    found = outcome(lambda: spec.with_choices(**{field: value}))
    assert isinstance(found, (type(spec), UserError))


@tries(100, 20000)
@given(JUNK, JUNK, JUNK, st.sampled_from(("BASIC", "BOTTLENECK")))
def test_a_family_of_any_width_and_depth_is_described_or_refused(width, modules, blocks, block):
    for call in (
        lambda: HRNetSpec.of_width(width, num_modules=modules, num_blocks=blocks),
        lambda: LiteHRNetSpec.of_width(width, modules),
        lambda: BranchSpec(block, blocks, width),
        lambda: StageSpec(modules, width),
        lambda: LiteStageSpec(modules, blocks, width),
        lambda: LiteStemSpec(width, modules, blocks),
    ):
        assert outcome(call) is not None
