"""HRNetV2p: the pyramid of the detection networks (arXiv:1904.04514; arXiv:1908.07919, figure 4c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..archs.spec import check_count, read_choice
from .layers import Layers
from .named_conv import name_conv
from .recompute import recomputed
from .scales import check_scales, read_channels, resize_scale

POOLINGS: Mapping[str, object] = {"AVG": F.avg_pool2d, "MAX": F.max_pool2d}


class HRFPN(nn.Module):
    """All scales concatenated at the highest resolution, reduced, then pooled to a pyramid.

    Sizes need not be multiples of 32: the scales are brought to the size of the first, where the original goes by
    factor. For multiples both are the same.

    Args:
        in_channels: Channels of each scale, from the highest resolution to the lowest.
        out_channels: Channels of every level of the pyramid.
        num_outs: Levels; level i is pooled by 2**i.
        pooling_type: `AVG` or `MAX`.
        stride: Of the 3x3 convolution of each level.
        layers: Factories of convolutions; there are no norms.
        with_cp: Recompute the convolutions in the backward pass instead of keeping their outputs.

    Raises:
        SpecError: for a wrong argument, by its name.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        num_outs: int = 5,
        pooling_type: str = "AVG",
        stride: int = 1,
        layers: Layers | None = None,
        with_cp: bool = False,
    ):
        super().__init__()
        layers = layers or Layers()
        self.in_channels = read_channels(in_channels)
        for field, value in {"out_channels": out_channels, "num_outs": num_outs, "stride": stride}.items():
            check_count(f"neck.{field}", value)
        self.out_channels, self.num_outs, self.with_cp = out_channels, num_outs, with_cp
        self.pooling_type = read_choice("neck.pooling_type", pooling_type, tuple(POOLINGS))
        self.reduction_conv = name_conv(layers.conv(sum(self.in_channels), out_channels, kernel_size=1))
        self.fpn_convs = nn.ModuleList(
            name_conv(layers.conv(out_channels, out_channels, kernel_size=3, padding=1, stride=stride))
            for _ in range(num_outs)
        )

    def forward(self, scales: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """One (N, in_channels[i], H_i, W_i) a scale to one (N, out_channels, H_0 / 2**i / stride, ...) a level.

        Raises:
            ConfigError: where the scales are not those of `in_channels`.
        """
        check_scales(scales, self.in_channels)
        size = scales[0].shape[2:]
        reduced = self._run(self.reduction_conv, torch.cat([resize_scale(scale, size) for scale in scales], dim=1))
        pool = POOLINGS[self.pooling_type]
        # All poolings before all convolutions, as in the original: autograd adds their gradients in that order.
        pooled = [reduced] + [pool(reduced, kernel_size=2**i, stride=2**i) for i in range(1, self.num_outs)]
        return tuple(self._run(conv, level) for conv, level in zip(self.fpn_convs, pooled, strict=True))

    def _run(self, conv: nn.Module, x: Tensor) -> Tensor:
        return recomputed(conv, conv, x) if self.with_cp else conv(x)

    def extra_repr(self) -> str:
        """What no child shows."""
        return f"pooling={self.pooling_type}, with_cp={self.with_cp}"
