"""HRNetV2's representation: all scales at the highest resolution, concatenated (arXiv:1908.07919, figure 4b)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..archs.spec import Fusion, check_count
from .layers import Layers
from .named_conv import name_conv
from .scales import check_scales, read_channels, resize_scale


class ConcatScales(nn.Module):
    """Brings every scale to the size of the first and concatenates them.

    Args:
        in_channels: Channels of each scale, from the highest resolution to the lowest.
        out_channels: Where given, a 1x1 convolution, a norm and a ReLU lead to so many channels, as the paper's heads
            begin; None leaves the concatenation as it is, without any parameter.
        upsample_mode: `bilinear` or `nearest`.
        align_corners: Of the bilinear mode only.
        layers: Factories of convolutions and norms.

    Raises:
        SpecError: for a wrong argument, by its name.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int | None = None,
        upsample_mode: str = "bilinear",
        align_corners: bool = False,
        layers: Layers | None = None,
    ):
        super().__init__()
        self.in_channels = read_channels(in_channels)
        resizing = Fusion(upsample_mode=upsample_mode, align_corners=align_corners)
        self.upsample_mode, self.align_corners = resizing.upsample_mode, resizing.align_corners
        total = sum(self.in_channels)
        self.out_channels = total if out_channels is None else check_count("neck.out_channels", out_channels)
        self.project = None
        if out_channels is not None:
            layers = layers or Layers()
            self.project = name_conv(layers.conv1x1(total, out_channels), layers, out_channels)

    def forward(self, scales: Sequence[Tensor]) -> tuple[Tensor]:
        """One (N, in_channels[i], H_i, W_i) a scale to a tuple of one (N, out_channels, H_0, W_0).

        Raises:
            ConfigError: where the scales are not those of `in_channels`.
        """
        check_scales(scales, self.in_channels)
        size = scales[0].shape[2:]
        joined = torch.cat([resize_scale(x, size, self.upsample_mode, self.align_corners) for x in scales], dim=1)
        return (joined if self.project is None else self.project(joined),)

    def extra_repr(self) -> str:
        """What no child shows."""
        return f"mode={self.upsample_mode!r}, align_corners={self.align_corners}"
