"""The blocks of a Lite-HRNet (arXiv:2104.06403, figure 1 and section 3.2).

Each splits the channels in half, works on the second half, and shuffles both together again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..archs.lite import SPATIAL_RATIO
from .lite_layers import LiteLayers, interleave
from .recompute import recomputed


class ShuffleUnit(nn.Module):
    """The shuffle unit of ShuffleNet V2 at stride 1 (Ma et al., arXiv:1807.11164, figure 3c).

    Args:
        channels: Channels that enter and leave; even.
        layers: Factories of convolutions and norms.
        with_cp: Recompute activations in the backward pass instead of keeping them.
    """

    def __init__(self, channels: int, layers: LiteLayers, with_cp: bool = False):
        super().__init__()
        half = channels // 2
        self.with_cp = with_cp
        self.branch2 = nn.Sequential(layers.pointwise(half, half), layers.depthwise(half), layers.pointwise(half, half))

    def _shuffle(self, x: Tensor) -> Tensor:
        kept, changed = x.chunk(2, dim=1)
        return interleave(kept, self.branch2(changed))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same."""
        return recomputed(self, self._shuffle, x) if self.with_cp else self._shuffle(x)


class SpatialWeighting(nn.Module):
    """Weights each channel by what all positions say (Hu et al., arXiv:1709.01507): the paper's function F.

    Its convolutions have a bias and no norm, whatever norm the rest has: released weights are laid out so.

    Args:
        channels: Channels that enter and leave.
        layers: Factory of convolutions.
    """

    def __init__(self, channels: int, layers: LiteLayers):
        super().__init__()
        reduced = channels // SPATIAL_RATIO
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.conv1 = layers.named(layers.conv(channels, reduced, kernel_size=1), activate=nn.ReLU(inplace=True))
        self.conv2 = layers.named(layers.conv(reduced, channels, kernel_size=1), activate=nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same."""
        return x * self.conv2(self.conv1(self.global_avgpool(x)))


class CrossResolutionWeighting(nn.Module):
    """Weights each channel and position by what all resolutions say there: the paper's function H.

    Args:
        channels: Channels of each branch.
        reduce_ratio: The channels of all branches are reduced by it in between.
        layers: Factories of convolutions and norms.
    """

    def __init__(self, channels: Sequence[int], reduce_ratio: int, layers: LiteLayers):
        super().__init__()
        self.channels = list(channels)
        total = sum(channels)
        self.conv1 = layers.pointwise(total, total // reduce_ratio)
        self.conv2 = layers.pointwise(total // reduce_ratio, total, sigmoid=True)

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        """One (N, channels[i], H_i, W_i) a branch to the same."""
        lowest = branches[-1].shape[2:]
        pooled = [F.adaptive_avg_pool2d(x, lowest) for x in branches[:-1]]
        weights = self.conv2(self.conv1(torch.cat((*pooled, branches[-1]), dim=1)))
        return [
            x * F.interpolate(weight, size=x.shape[2:], mode="nearest")
            for x, weight in zip(branches, weights.split(self.channels, dim=1), strict=True)
        ]


class ConditionalChannelWeighting(nn.Module):
    """The block that replaces the shuffle unit's 1x1 convolutions by weights, for all branches at once.

    Args:
        channels: Channels of each branch; even.
        reduce_ratio: Of the cross-resolution weighting.
        layers: Factories of convolutions and norms.
        with_cp: Recompute activations in the backward pass instead of keeping them.
    """

    def __init__(self, channels: Sequence[int], reduce_ratio: int, layers: LiteLayers, with_cp: bool = False):
        super().__init__()
        halves = [width // 2 for width in channels]
        self.with_cp = with_cp
        self.cross_resolution_weighting = CrossResolutionWeighting(halves, reduce_ratio, layers)
        self.depthwise_convs = nn.ModuleList(layers.depthwise(half) for half in halves)
        self.spatial_weighting = nn.ModuleList(SpatialWeighting(half, layers) for half in halves)

    def _weight(self, *branches: Tensor) -> list[Tensor]:
        kept, changed = zip(*(x.chunk(2, dim=1) for x in branches), strict=True)
        weighted = self.cross_resolution_weighting(changed)
        paths = zip(kept, weighted, self.depthwise_convs, self.spatial_weighting, strict=True)
        return [interleave(half, spatial(depthwise(x))) for half, x, depthwise, spatial in paths]

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        """One (N, channels[i], H_i, W_i) a branch to the same."""
        return recomputed(self, self._weight, *branches) if self.with_cp else self._weight(*branches)
