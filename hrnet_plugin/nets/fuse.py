"""Fuse layers: each output branch is joined from all input branches (arXiv:1908.07919, section 3.2 and figure 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..archs.spec import Fusion
from .layers import Layers


class UpsamplePath(nn.Sequential):
    """From a lower resolution: a 1x1 convolution, a norm, then up to the size of the target.

    Nearest goes to the target in one step, which is the same as by factor where the sizes are multiples. Bilinear goes
    by factor and then resizes to the target, as mmseg's networks were trained: for odd sizes one direct step gives
    other values.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int, fusion: Fusion, layers: Layers):
        super().__init__(layers.conv1x1(in_channels, out_channels), layers.norm(out_channels))
        self.factor = factor
        self.mode = fusion.upsample_mode
        self.align_corners = fusion.align_corners

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """(N, in_channels, h, w) to (N, out_channels, *size); `size` is (height, width)."""
        x = super().forward(x)
        if self.mode == "nearest":
            return F.interpolate(x, size=size, mode="nearest")
        by_factor = (x.shape[2] * self.factor, x.shape[3] * self.factor)
        x = F.interpolate(x, size=by_factor, mode=self.mode, align_corners=self.align_corners)
        if by_factor == tuple(size):
            return x
        return F.interpolate(x, size=size, mode=self.mode, align_corners=self.align_corners)

    def extra_repr(self) -> str:
        """Factor and mode, which no child shows."""
        return f"factor={self.factor}, mode={self.mode!r}, align_corners={self.align_corners}"


class IdentityPath(nn.Module):
    """From the branch itself."""

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """`x` as it is."""
        return x


class StridedPath(nn.Sequential):
    """From a higher resolution: a strided 3x3 convolution and a norm for each halving, a ReLU between them."""

    def __init__(self, in_channels: int, out_channels: int, halvings: int, layers: Layers):
        steps = [layers.conv3x3_norm(in_channels, in_channels, stride=2, relu=True) for _ in range(halvings - 1)]
        super().__init__(*steps, layers.conv3x3_norm(in_channels, out_channels, stride=2))

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, *size): the strides lead to the target's size by themselves."""
        return super().forward(x)


class FuseLayer(nn.Module):
    """Joins all branches into output branch `target`. Its paths are numbered by the branch they come from.

    Args:
        channels: Channels of each branch, from the highest resolution to the lowest.
        target: Index of the branch that leaves.
    """

    def __init__(self, channels: Sequence[int], target: int, fusion: Fusion, layers: Layers):
        super().__init__()
        self.target = target
        self.method = fusion.method
        self.num_paths = len(channels)
        for source in range(self.num_paths):
            self.add_module(str(source), self._path(channels, source, fusion, layers))
        if self.method == "concat":
            total = channels[target] * self.num_paths
            self.reduce = nn.Sequential(layers.conv1x1(total, channels[target]), layers.norm(channels[target]))

    def _path(self, channels: Sequence[int], source: int, fusion: Fusion, layers: Layers) -> nn.Module:
        if source == self.target:
            return IdentityPath()
        if source > self.target:
            factor = 2 ** (source - self.target)
            return UpsamplePath(channels[source], channels[self.target], factor, fusion, layers)
        return StridedPath(channels[source], channels[self.target], self.target - source, layers)

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """One (N, C_i, H_i, W_i) a branch to (N, C_target, H_target, W_target), before the ReLU."""
        size = branches[self.target].shape[2:]
        aligned = [getattr(self, str(source))(x, size) for source, x in enumerate(branches)]
        if self.method == "concat":
            return self.reduce(torch.cat(aligned, dim=1))
        total = aligned[0]
        for x in aligned[1:]:
            total = total + x
        return total / self.num_paths if self.method == "mean" else total
