"""OpenMMLab's `extra=dict(stage1=dict(...), ...)` read into the one description.

The same `extra` means different networks in different frameworks: what it leaves out, each fills with its own
default. :data:`CONVENTIONS` holds those defaults, so that a config of mmseg gives mmseg's network and one of mmpose
mmpose's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import SpecError, nearest
from .spec import BranchSpec, HRNetSpec, StageSpec, check_count, read_fuse_method

STAGE_KEYS = ("num_modules", "num_branches", "block", "num_blocks", "num_channels")
_OPTIONAL_STAGE_KEYS = ("multiscale_output", "fuse_method")


@dataclass(frozen=True)
class Conventions:
    """What a framework's HRNet does where its config says nothing."""

    multiscale_output: bool = True
    upsample_mode: str = "nearest"
    norm_eval: bool = False
    init: str = "kaiming"


CONVENTIONS: Mapping[str, Conventions] = {
    "mmpose": Conventions(multiscale_output=False, init="normal"),
    "mmseg": Conventions(upsample_mode="bilinear"),
    "mmdet": Conventions(norm_eval=True),
    "mmpretrain": Conventions(),
}


def read_extra(extra: Mapping, conventions: Conventions | None = None) -> HRNetSpec:
    """The description that an OpenMMLab `extra` stands for.

    Args:
        extra: `stage1`, `stage2`, ... without a gap, each with `num_modules`, `num_branches`, `block`, `num_blocks` and
            `num_channels`; optionally `upsample=dict(mode=, align_corners=)` as mmpose has it, and
            `multiscale_output` in the last stage. `block` is one name for the stage or one a branch.
        conventions: Fill what `extra` leaves out.

    Raises:
        SpecError: for an unknown, missing or mis-sized key, by its full name.
    """
    conventions = conventions or Conventions()
    if not isinstance(extra, Mapping):
        raise SpecError("extra", found=type(extra).__name__, expected="a dict with stage1, stage2, ...")
    if "stages_spec" in extra:
        do = "Use type='hrnet_plugin.LiteHRNet' for it"
        raise SpecError("extra", found="the stages of a Lite-HRNet", expected="those of an HRNet", do=do)
    numbers = _stage_numbers(extra)
    stages = [_read_stage(f"extra.stage{number}", extra[f"stage{number}"]) for number in numbers]
    last = extra[f"stage{numbers[-1]}"]
    mode, align_corners = _read_upsample(extra.get("upsample"), conventions)
    return HRNetSpec(
        tuple(stages),
        fuse_method=_read_fuse_methods(extra, numbers),
        upsample_mode=mode,
        align_corners=align_corners,
        multiscale_output=last.get("multiscale_output", conventions.multiscale_output),
    )


def _stage_numbers(extra: Mapping) -> list[int]:
    numbers = []
    for key in extra:
        digits = key.removeprefix("stage") if isinstance(key, str) else ""
        if key != "upsample" and not (key != digits and digits.isdigit()):
            raise SpecError(
                f"extra.{key}",
                found="an unknown key",
                do=nearest(key, ("stage1", "stage2", "stage3", "stage4", "upsample")),
            )
        if key != "upsample":
            numbers.append(int(digits))
    numbers.sort()
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        found = ", ".join(f"stage{number}" for number in numbers) or "no stage"
        raise SpecError("extra", found=found, expected="stage1, stage2, ... without a gap")
    return numbers


def _read_stage(where: str, stage: Mapping) -> StageSpec:
    if not isinstance(stage, Mapping):
        raise SpecError(where, found=type(stage).__name__, expected="a dict with " + ", ".join(STAGE_KEYS))
    known = STAGE_KEYS + _OPTIONAL_STAGE_KEYS
    for key in stage:
        if key not in known:
            raise SpecError(f"{where}.{key}", found="an unknown key", do=nearest(key, known))
    for key in STAGE_KEYS:
        if key not in stage:
            raise SpecError(f"{where}.{key}", found="nothing", expected="a value")
    branches = read_branches(where, stage["num_branches"], stage["block"], stage["num_blocks"], stage["num_channels"])
    check_count(f"{where}.num_modules", stage["num_modules"])
    return StageSpec(branches, stage["num_modules"])


def read_branches(
    where: str,
    num_branches: int,
    block: str | Sequence[str],
    num_blocks: Sequence[int],
    num_channels: Sequence[int],
) -> tuple[BranchSpec, ...]:
    """The branches of a module from OpenMMLab's parallel lists; `where` names them in errors.

    Args:
        block: One block type for all branches or a list of one each.
        num_blocks: Depth of each branch.
        num_channels: Base width of each branch.
    """
    check_count(_join(where, "num_branches"), num_branches)
    columns = {"num_blocks": num_blocks, "num_channels": num_channels}
    if not isinstance(block, str):
        columns["block"] = block
    for key, values in columns.items():
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise SpecError(_join(where, key), found=repr(values), expected=f"a list of {num_branches}")
        if len(values) != num_branches:
            raise SpecError(
                _join(where, key),
                found=f"{len(values)} values {tuple(values)}",
                expected=f"{num_branches}, one for each branch (num_branches={num_branches})",
            )
    blocks = (block,) * num_branches if isinstance(block, str) else block
    branches = []
    for index, (kind, depth, width) in enumerate(zip(blocks, num_blocks, num_channels, strict=True)):
        try:
            branches.append(BranchSpec(kind, depth, width))
        except SpecError as error:
            raise SpecError(
                f"{_join(where, error.what)}[{index}]", found=error.found, expected=error.expected
            ) from None
    return tuple(branches)


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _read_upsample(upsample: Mapping | None, conventions: Conventions) -> tuple[str, bool]:
    if upsample is None:
        return conventions.upsample_mode, False
    if not isinstance(upsample, Mapping):
        raise SpecError("extra.upsample", found=repr(upsample), expected="a dict with mode, align_corners")
    for key in upsample:
        if key not in ("mode", "align_corners"):
            raise SpecError(f"extra.upsample.{key}", found="an unknown key", expected="mode, align_corners")
    return upsample.get("mode", "nearest"), bool(upsample.get("align_corners"))


def _read_fuse_methods(extra: Mapping, numbers: Sequence[int]) -> str:
    """The one fuse method of the network: the original writes it into each stage, always the same."""
    methods = {
        read_fuse_method(extra[f"stage{number}"]["fuse_method"])
        for number in numbers
        if "fuse_method" in extra[f"stage{number}"]
    }
    if len(methods) > 1:
        raise SpecError("extra.stage*.fuse_method", found=", ".join(sorted(methods)), expected="one for all stages")
    return methods.pop() if methods else "sum"
