"""mmpose's `extra` of a Lite-HRNet read into its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import SpecError, nearest
from .lite import LiteHRNetSpec, LiteStageSpec, LiteStemSpec
from .spec import check_count

_KEYS = ("stem", "num_stages", "stages_spec", "with_head")
_STEM_KEYS = ("stem_channels", "out_channels", "expand_ratio")
#: The parallel lists of `stages_spec`, one value a stage, and the name of each value in a description's errors.
_COLUMNS = {
    "num_modules": "num_modules",
    "num_branches": "num_branches",
    "num_blocks": "num_blocks",
    "module_type": "module_type",
    "with_fuse": "with_fuse",
    "reduce_ratios": "reduce_ratio",
    "num_channels": "num_channels",
}
_WHERE = "extra.stages_spec"


def read_lite_extra(extra: Mapping) -> LiteHRNetSpec:
    """The description that mmpose's `extra` of a Lite-HRNet stands for.

    Args:
        extra: `stem` (`stem_channels`, `out_channels`, `expand_ratio`), `num_stages`, `with_head`, and `stages_spec`
            with one value a stage in each of `num_modules`, `num_branches`, `num_blocks`, `module_type`, `with_fuse`,
            `reduce_ratios` and `num_channels`.

    Raises:
        SpecError: for an unknown, missing or mis-sized key, by its full name.
    """
    if isinstance(extra, Mapping) and "stage1" in extra:
        do = "Use type='hrnet_plugin.HRNet' for it"
        raise SpecError("extra", found="the stages of an HRNet", expected="those of a Lite-HRNet", do=do)
    _check_keys("extra", extra, _KEYS)
    _check_keys("extra.stem", extra["stem"], _STEM_KEYS)
    _check_keys(_WHERE, extra["stages_spec"], tuple(_COLUMNS))
    count = check_count("extra.num_stages", extra["num_stages"])
    for key, values in extra["stages_spec"].items():
        _check_list(f"{_WHERE}.{key}", values, count, f"one for each stage (num_stages={count})")
    try:
        stem = LiteStemSpec(**extra["stem"])
    except SpecError as error:
        raise SpecError(f"extra.{error.what}", found=error.found, expected=error.expected) from None
    stages = tuple(_read_stage(extra["stages_spec"], index) for index in range(count))
    return LiteHRNetSpec(stages, stem, with_head=extra["with_head"])


def _read_stage(columns: Mapping[str, Sequence], index: int) -> LiteStageSpec:
    row = {name: columns[key][index] for key, name in _COLUMNS.items()}
    branches, channels = row.pop("num_branches"), row.pop("num_channels")
    check_count(f"{_WHERE}.num_branches[{index}]", branches)
    where = f"{_WHERE}.num_channels[{index}]"
    _check_list(where, channels, branches, f"one for each branch (num_branches={branches})")
    try:
        return LiteStageSpec(tuple(channels), **row)
    except SpecError as error:
        name, bracket, rest = error.what.partition("[")
        key = next(key for key, known in _COLUMNS.items() if known == name)
        raise SpecError(f"{_WHERE}.{key}[{index}]{bracket}{rest}", found=error.found, expected=error.expected) from None


def _check_keys(where: str, given: object, known: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise SpecError(where, found=type(given).__name__, expected="a dict with " + ", ".join(known))
    for key in given:
        if key not in known:
            raise SpecError(f"{where}.{key}", found="an unknown key", do=nearest(key, known))
    for key in known:
        if key not in given:
            raise SpecError(f"{where}.{key}", found="nothing", expected="a value")


def _check_list(where: str, values: object, count: int, meaning: str) -> None:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise SpecError(where, found=repr(values), expected=f"a list of {count}, {meaning}")
    if len(values) != count:
        raise SpecError(where, found=f"{len(values)} values {tuple(values)}", expected=f"{count}, {meaning}")
