"""The scales that leave a backbone: what a neck expects of them, and bringing them to one size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..archs.spec import check_count
from ..errors import ConfigError, SpecError


def read_channels(in_channels: Sequence[int]) -> tuple[int, ...]:
    """`in_channels` of a neck, one whole number a scale.

    Raises:
        SpecError: naming the value that is none.
    """
    if isinstance(in_channels, str) or not isinstance(in_channels, Sequence) or not in_channels:
        raise SpecError("neck.in_channels", found=repr(in_channels), expected="a list, one value a scale")
    return tuple(check_count(f"neck.in_channels[{index}]", channels) for index, channels in enumerate(in_channels))


def check_scales(scales: Sequence[Tensor], in_channels: Sequence[int]) -> None:
    """Compares the scales that arrive, each (N, C, H, W), with those that a neck was built for.

    Raises:
        ConfigError: where their number or their channels differ.
    """
    if not isinstance(scales, (list, tuple)):
        raise ConfigError(
            "neck input",
            found=type(scales).__name__,
            expected="a list of all scales",
            do="Let the backbone give them (multiscale_output=True)",
        )
    arriving = [scale.shape[1] for scale in scales]
    if arriving != list(in_channels):
        raise ConfigError(
            "neck.in_channels",
            found=list(in_channels),
            expected=f"{arriving}, the channels of the scales that reach it",
            do="Let the backbone give all its scales (multiscale_output=True)"
            if len(arriving) == 1 < len(in_channels)
            else f"Set in_channels to {arriving}",
        )


def resize_scale(scale: Tensor, size: torch.Size, mode: str = "bilinear", align_corners: bool = False) -> Tensor:
    """(N, C, h, w) to (N, C, *size) in one step; `size` is (height, width). `mode` is `nearest` or `bilinear`."""
    if scale.shape[2:] == size:
        return scale
    return F.interpolate(scale, size=size, mode=mode, align_corners=align_corners if mode == "bilinear" else None)
