"""The description of an HRNet: frozen, validated, without torch.

An HRNet (Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition", arXiv:1908.07919)
is a stem of two strided convolutions, then stages of parallel branches. Branch `i` runs at stride `4 * 2**i`; every
module of a stage ends by fusing its branches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from ..errors import SpecError, nearest

Spec = TypeVar("Spec")

#: Output channels of a block as a multiple of its width (He et al., arXiv:1512.03385, figure 5).
EXPANSION: Mapping[str, int] = {"BASIC": 1, "BOTTLENECK": 4}
FUSE_METHODS = ("sum", "mean", "concat")
UPSAMPLE_MODES = ("nearest", "bilinear")
#: A hundred times the largest networks that anybody has trained: what lies beyond is a slip, or meant to do harm.
_MOST_BLOCKS, _MOST_WEIGHTS = 10_000, 10_000_000_000
#: The original code's spelling of the fuse methods.
_FUSE_ALIASES = {"avg": "mean"}


def check_count(field: str, value: object, least: int = 1) -> int:
    """`value`, if it is a whole number of at least `least`; a :class:`SpecError` naming `field` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SpecError(field, found=repr(value), expected=f"a whole number of at least {least}")
    return value


def read_list(field: str, value: object, kind: type | None = None) -> tuple:
    """`value` as a tuple, if it is a list, of `kind` alone; a :class:`SpecError` naming `field` otherwise."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SpecError(field, found=repr(value), expected="a list")
    for item in value:
        if kind is not None and not isinstance(item, kind):
            raise SpecError(field, found=repr(item), expected=f"a {kind.__name__} in each place")
    return tuple(value)


def check_extent(blocks: int, weights: int) -> None:
    """Refuses networks that no machine can hold.

    Args:
        blocks: Of all branches of the whole network.
        weights: What their convolutions hold at the least.
    """
    if blocks > _MOST_BLOCKS or weights > _MOST_WEIGHTS:
        found = f"{min(blocks, 10**18):.3g} blocks with {min(weights, 10**18):.3g} weights or more"
        raise SpecError(
            "the network", found=found, expected=f"at most {_MOST_BLOCKS:,} blocks and {_MOST_WEIGHTS:,} weights"
        )


def read_choice(field: str, value: object, known: Sequence[str]) -> str:
    """`value` as one of `known`, whatever its case; a :class:`SpecError` naming `field` otherwise."""
    text = value.lower() if isinstance(value, str) else value
    for choice in known:
        if text == choice.lower():
            return choice
    raise SpecError(field, found=repr(value), expected="one of " + ", ".join(known))


def check_flag(field: str, value: object) -> bool:
    """`value`, if it is True or False; a :class:`SpecError` naming `field` otherwise."""
    if not isinstance(value, bool):
        raise SpecError(field, found=repr(value), expected="True or False")
    return value


def read_fuse_method(value: object) -> str:
    """`sum`, `mean` or `concat`; the original's `SUM`, `AVG` and `CONCAT` are understood."""
    if isinstance(value, str):
        value = _FUSE_ALIASES.get(value.lower(), value.lower())
    return read_choice("fuse_method", value, FUSE_METHODS)


def check_branch_counts(counts: Sequence[int], first: int) -> None:
    """Refuses stages that have fewer branches than the one before; `first` is the number of the first stage."""
    for number, (before, after) in enumerate(pairwise(counts), start=first + 1):
        if after < before:
            raise SpecError(
                f"stage{number}.num_branches", found=after, expected=f"at least the {before} of stage{number - 1}"
            )


def replace_fields(spec: Spec, choices: Mapping[str, object]) -> Spec:
    """A copy of a description with the given fields replaced; those that are None stay as they are.

    Raises:
        SpecError: for a field that it does not have.
    """
    unknown = sorted(set(choices) - set(spec.__dataclass_fields__))
    if unknown:
        raise SpecError(unknown[0], found="no such field", do=nearest(unknown[0], spec.__dataclass_fields__))
    return replace(spec, **{field: value for field, value in choices.items() if value is not None})


@dataclass(frozen=True)
class Fusion:
    """How a module joins its branches.

    Args:
        method: `sum`, `mean`, or `concat` (concatenated, then a 1x1 convolution and a norm back to the branch's
            channels).
        upsample_mode: `nearest` (the pose and classification networks) or `bilinear` (the segmentation networks).
        align_corners: Of the bilinear mode only.
    """

    method: str = "sum"
    upsample_mode: str = "nearest"
    align_corners: bool = False

    def __post_init__(self):
        object.__setattr__(self, "method", read_fuse_method(self.method))
        mode = read_choice("upsample_mode", self.upsample_mode, UPSAMPLE_MODES)
        object.__setattr__(self, "upsample_mode", mode)
        if check_flag("align_corners", self.align_corners) and mode == "nearest":
            raise SpecError(
                "align_corners",
                found="True with upsample_mode='nearest'",
                expected="False, since nearest upsampling has no corners to align",
                do="Set upsample_mode='bilinear' or drop align_corners",
            )


@dataclass(frozen=True)
class BranchSpec:
    """One branch of a module: `num_blocks` residual blocks of type `block` and base width `width`."""

    block: str
    num_blocks: int
    width: int

    def __post_init__(self):
        object.__setattr__(self, "block", read_choice("block", self.block, tuple(EXPANSION)))
        check_count("num_blocks", self.num_blocks)
        check_count("num_channels", self.width)

    @property
    def out_channels(self) -> int:
        """Channels that leave the branch: the width times the expansion of its block."""
        return self.width * EXPANSION[self.block]


@dataclass(frozen=True)
class StageSpec:
    """`num_modules` high-resolution modules in a row, all with the same branches."""

    branches: tuple[BranchSpec, ...]
    num_modules: int = 1

    def __post_init__(self):
        object.__setattr__(self, "branches", read_list("branches", self.branches, BranchSpec))
        check_count("num_modules", self.num_modules)
        check_count("num_branches", len(self.branches))

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels that leave each branch, from the highest resolution to the lowest."""
        return tuple(branch.out_channels for branch in self.branches)


@dataclass(frozen=True)
class HRNetSpec:
    """A whole network: its stages and the choices in which existing HRNets differ.

    Args:
        stages: From stage 1 (one branch, no fusion) to the last; branches never become fewer.
        stem_width: Channels of the two strided 3x3 convolutions at the entrance.
        fuse_method, upsample_mode, align_corners: How every module joins its branches, see :class:`Fusion`.
        multiscale_output: Whether the last module gives all its branches or the first alone.

    Raises:
        SpecError: naming the field, what it got and what it needs.
    """

    stages: tuple[StageSpec, ...]
    stem_width: int = 64
    fuse_method: str = "sum"
    upsample_mode: str = "nearest"
    align_corners: bool = False
    multiscale_output: bool = True

    def __post_init__(self):
        object.__setattr__(self, "stages", read_list("stages", self.stages, StageSpec))
        check_count("stem_width", self.stem_width)
        check_flag("multiscale_output", self.multiscale_output)
        object.__setattr__(self, "fuse_method", self.fusion.method)
        object.__setattr__(self, "upsample_mode", self.fusion.upsample_mode)
        self._check_stages()

    def _check_stages(self):
        if len(self.stages) < 2:
            raise SpecError("stages", found=len(self.stages), expected="at least 2")
        first = self.stages[0]
        if len(first.branches) != 1 or first.num_modules != 1:
            raise SpecError(
                "stage1",
                found=f"{len(first.branches)} branches, {first.num_modules} modules",
                expected="1 branch and 1 module, since it is a plain row of blocks",
            )
        check_branch_counts([len(stage.branches) for stage in self.stages], first=1)
        rows = [(stage.num_modules * branch.num_blocks, branch) for stage in self.stages for branch in stage.branches]
        weights = 9 * self.stem_width**2 + sum(9 * count * branch.width**2 for count, branch in rows)
        check_extent(sum(count for count, _ in rows), weights)

    @property
    def fusion(self) -> Fusion:
        """How every module joins its branches."""
        return Fusion(self.fuse_method, self.upsample_mode, self.align_corners)

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each output of the network."""
        channels = self.stages[-1].out_channels
        return channels if self.multiscale_output else channels[:1]

    @property
    def out_strides(self) -> tuple[int, ...]:
        """Stride of each output with respect to the input."""
        return tuple(4 * 2**index for index in range(len(self.out_channels)))

    def with_choices(self, **choices: object) -> HRNetSpec:
        """A copy with the given fields replaced; those that are None stay as they are."""
        return replace_fields(self, choices)

    @classmethod
    def of_width(
        cls,
        width: int,
        *,
        num_modules: Sequence[int] = (1, 1, 4, 3),
        num_blocks: int | Sequence[int] = 4,
        stage1_width: int = 64,
        **choices: object,
    ) -> HRNetSpec:
        """The published family: bottlenecks in stage 1, then basic blocks of widths C, 2C, 4C, 8C (section 4.1).

        Args:
            width: C, the channels of the highest resolution.
            num_modules: Modules of each stage; its length is the number of stages.
            num_blocks: Blocks of every branch, for all stages alike or for each.
            stage1_width: Base width of the bottlenecks in stage 1.
            choices: Any other field of the description.
        """
        num_modules = read_list("num_modules", num_modules)
        if not num_modules:
            raise SpecError("num_modules", found="none", expected="one number a stage")
        depth = (num_blocks,) * len(num_modules) if isinstance(num_blocks, int) else read_list("num_blocks", num_blocks)
        if len(depth) != len(num_modules):
            raise SpecError("num_blocks", found=f"{len(depth)} values", expected=f"{len(num_modules)}, one a stage")
        check_count("width", width)
        stages = [StageSpec((BranchSpec("BOTTLENECK", depth[0], stage1_width),), num_modules[0])]
        for index in range(1, len(num_modules)):
            branches = tuple(BranchSpec("BASIC", depth[index], width * 2**branch) for branch in range(index + 1))
            stages.append(StageSpec(branches, num_modules[index]))
        return cls(tuple(stages), **choices)
