"""What stands before and after the stages of a Lite-HRNet: stem and iterative head (arXiv:2104.06403, table 1)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ..archs.lite import LiteStemSpec
from .lite_layers import LiteLayers, interleave


class LiteStem(nn.Module):
    """A strided 3x3 convolution, then a strided shuffle unit: a quarter of the resolution leaves.

    Args:
        spec: The description.
        in_channels: Channels of the image.
        layers: Factories of convolutions and norms.
    """

    def __init__(self, spec: LiteStemSpec, in_channels: int, layers: LiteLayers):
        super().__init__()
        width, half, mid = spec.stem_channels, spec.stem_channels // 2, spec.mid_channels
        shallow = spec.out_channels - spec.deep_channels
        self.conv1 = layers.named(
            layers.conv3x3(in_channels, width, stride=2), layers.norm(width), nn.ReLU(inplace=True)
        )
        self.branch1 = nn.Sequential(layers.depthwise(half, stride=2), layers.pointwise(half, shallow))
        self.expand_conv = layers.pointwise(half, mid)
        self.depthwise_conv = layers.depthwise(mid, stride=2)
        self.linear_conv = layers.pointwise(mid, spec.deep_channels)

    def forward(self, image: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H / 4, W / 4), each halving rounded up."""
        first, second = self.conv1(image).chunk(2, dim=1)
        deep = self.linear_conv(self.depthwise_conv(self.expand_conv(second)))
        return interleave(self.branch1(first), deep)


class SeparableConv(nn.Module):
    """A depthwise 3x3 convolution, then a 1x1 convolution with a ReLU; a norm after each.

    Args:
        in_channels: Channels that enter.
        out_channels: Channels that leave.
        layers: Factories of convolutions and norms.
    """

    def __init__(self, in_channels: int, out_channels: int, layers: LiteLayers):
        super().__init__()
        self.depthwise_conv = layers.depthwise(in_channels)
        self.pointwise_conv = layers.pointwise(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.pointwise_conv(self.depthwise_conv(x))


class IterativeHead(nn.Module):
    """From the lowest resolution up, each branch is projected to the width of the next one and added to it.

    Args:
        in_channels: Channels of each branch, from the highest resolution to the lowest.
        out_channels: Channels of each branch after its projection: those of the branch above.
        layers: Factories of convolutions and norms.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: Sequence[int], layers: LiteLayers):
        super().__init__()
        pairs = list(zip(in_channels, out_channels, strict=True))
        # Released weights number the projections from the lowest resolution up.
        self.projects = nn.ModuleList(SeparableConv(entering, leaving, layers) for entering, leaving in reversed(pairs))

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        """One (N, in_channels[i], H_i, W_i) a branch to one (N, out_channels[i], H_i, W_i)."""
        projected: list[Tensor] = []
        for project, x in zip(self.projects, reversed(branches), strict=True):
            if projected:
                x = x + F.interpolate(projected[-1], size=x.shape[2:], mode="bilinear", align_corners=True)
            projected.append(project(x))
        return projected[::-1]
