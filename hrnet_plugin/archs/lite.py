"""The description of a Lite-HRNet: frozen, validated, without torch.

Lite-HRNet (Yu et al., "Lite-HRNet: A Lightweight High-Resolution Network", arXiv:2104.06403) is a shuffle stem, then
stages of parallel branches as in HRNet, made of cheap blocks: shuffle units in the naive networks, conditional channel
weighting in the others. An iterative head may follow. Branch `i` runs at stride `4 * 2**i`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from ..errors import SpecError
from .spec import check_branch_counts, check_count, check_extent, check_flag, read_choice, read_list, replace_fields

#: `LITE` blocks weight their channels by all resolutions (section 3.2), `NAIVE` ones are shuffle units (section 3.1).
MODULE_TYPES = ("LITE", "NAIVE")
#: Reduction of the spatial weighting (section 3.2); the same in every network.
SPATIAL_RATIO = 4


def _check_even(field: str, channels: object) -> int:
    if check_count(field, channels, least=2) % 2:
        raise SpecError(field, found=channels, expected="an even number, since blocks split the channels in half")
    return channels


@dataclass(frozen=True)
class LiteStemSpec:
    """The entrance: a strided 3x3 convolution, then a strided shuffle unit (table 1).

    Args:
        stem_channels: Channels of the 3x3 convolution.
        out_channels: Channels that leave; `stem_channels` or more.
        expand_ratio: Channels inside the unit's deep path as a multiple of `stem_channels`.
    """

    stem_channels: int = 32
    out_channels: int = 32
    expand_ratio: float = 1

    def __post_init__(self):
        _check_even("stem.stem_channels", self.stem_channels)
        _check_even("stem.out_channels", self.out_channels)
        if self.out_channels < self.stem_channels:
            expected = f"at least the {self.stem_channels} of stem_channels"
            raise SpecError("stem.out_channels", found=self.out_channels, expected=expected)
        ratio = self.expand_ratio
        is_number = isinstance(ratio, (int, float)) and not isinstance(ratio, bool) and isfinite(ratio)
        if not is_number or self.mid_channels < 1:
            raise SpecError("stem.expand_ratio", found=repr(ratio), expected="a positive number")

    @property
    def mid_channels(self) -> int:
        """Channels inside the unit's deep path."""
        return round(self.stem_channels * self.expand_ratio)

    @property
    def deep_channels(self) -> int:
        """Channels that leave the deep path; the shallow path gives the rest."""
        return self.stem_channels // 2 if self.out_channels == self.stem_channels else self.stem_channels


@dataclass(frozen=True)
class LiteStageSpec:
    """`num_modules` lite modules in a row, all with the same branches.

    Args:
        channels: Of each branch, from the highest resolution to the lowest; all even.
        num_modules: Modules of the stage.
        num_blocks: Blocks of each module, the same for every branch.
        module_type: `LITE` or `NAIVE`.
        with_fuse: Whether each module ends by fusing its branches.
        reduce_ratio: Reduction inside the cross-resolution weighting. A naive stage has none and holds 1.
    """

    channels: tuple[int, ...]
    num_modules: int = 1
    num_blocks: int = 2
    module_type: str = "LITE"
    with_fuse: bool = True
    reduce_ratio: int = 8

    def __post_init__(self):
        object.__setattr__(self, "channels", read_list("num_channels", self.channels))
        object.__setattr__(self, "module_type", read_choice("module_type", self.module_type, MODULE_TYPES))
        check_count("num_branches", len(self.channels))
        check_count("num_modules", self.num_modules)
        check_count("num_blocks", self.num_blocks)
        check_flag("with_fuse", self.with_fuse)
        check_count("reduce_ratio", self.reduce_ratio)
        for index, channels in enumerate(self.channels):
            _check_even(f"num_channels[{index}]", channels)
        if self.module_type == "NAIVE":
            object.__setattr__(self, "reduce_ratio", 1)
        else:
            self._check_reductions()

    def _check_reductions(self):
        for index, channels in enumerate(self.channels):
            if channels < 2 * SPATIAL_RATIO:
                expected = f"at least {2 * SPATIAL_RATIO} in a LITE module"
                raise SpecError(f"num_channels[{index}]", found=channels, expected=expected)
        weighted = sum(self.channels) // 2
        if self.reduce_ratio > weighted:
            expected = f"at most {weighted}, half the channels of all branches"
            raise SpecError("reduce_ratio", found=self.reduce_ratio, expected=expected)


@dataclass(frozen=True)
class LiteHRNetSpec:
    """A whole network.

    Args:
        stages: From the first to the last; branches never become fewer.
        stem: The entrance.
        with_head: Whether the iterative head follows, which carries each resolution into the next higher one.
        multiscale_output: Whether all branches leave or the highest resolution alone, as in mmpose's.

    Raises:
        SpecError: naming the field, what it got and what it needs.
    """

    stages: tuple[LiteStageSpec, ...]
    stem: LiteStemSpec = LiteStemSpec()
    with_head: bool = True
    multiscale_output: bool = False

    def __post_init__(self):
        object.__setattr__(self, "stages", read_list("stages", self.stages, LiteStageSpec))
        check_count("num_stages", len(self.stages))
        if not isinstance(self.stem, LiteStemSpec):
            raise SpecError("stem", found=repr(self.stem), expected="a LiteStemSpec")
        check_flag("with_head", self.with_head)
        check_flag("multiscale_output", self.multiscale_output)
        check_branch_counts([len(stage.channels) for stage in self.stages], first=0)
        rows = [(stage.num_modules * stage.num_blocks, stage.channels) for stage in self.stages]
        weights = sum(count * width**2 for count, widths in rows for width in widths)  # their convolutions are 1x1
        weights += self.stem.mid_channels * self.stem.out_channels
        check_extent(sum(count * len(widths) for count, widths in rows), weights)

    @property
    def branch_channels(self) -> tuple[int, ...]:
        """Channels of each branch at the exit: the head brings each to the width of the next higher resolution."""
        channels = self.stages[-1].channels
        return (channels[0], *channels[:-1]) if self.with_head else channels

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each output of the network."""
        return self.branch_channels if self.multiscale_output else self.branch_channels[:1]

    @property
    def out_strides(self) -> tuple[int, ...]:
        """Stride of each output with respect to the input."""
        return tuple(4 * 2**index for index in range(len(self.out_channels)))

    def with_choices(self, **choices: object) -> LiteHRNetSpec:
        """A copy with the given fields replaced; those that are None stay as they are."""
        return replace_fields(self, choices)

    @classmethod
    def of_width(
        cls, width: int, num_modules: Sequence[int] = (2, 4, 2), module_type: str = "LITE", **choices: object
    ) -> LiteHRNetSpec:
        """The published family: two, three and four branches of widths C, 2C, 4C, 8C, two blocks a module (table 1).

        Args:
            width: C, the channels of the highest resolution.
            num_modules: Modules of each stage; its length is the number of stages.
            module_type: Of all stages.
            choices: Any other field of the description.
        """
        check_count("width", width)
        stages = tuple(
            LiteStageSpec(tuple(width * 2**branch for branch in range(index + 2)), count, module_type=module_type)
            for index, count in enumerate(read_list("num_modules", num_modules))
        )
        return cls(stages, **choices)
