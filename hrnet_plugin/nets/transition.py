"""Transitions between stages: existing branches change width, new branches start at half the resolution."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from .layers import Layers
from .recompute import recomputed


class Transition(nn.ModuleList):
    """Gives the next stage its branches (section 3.1 of arXiv:1908.07919).

    A branch that exists already is taken from its own predecessor, through a 3x3 convolution where its channels
    change. A new branch comes from the lowest resolution there is, through one strided convolution for each halving.

    Args:
        in_channels: Channels of each branch before.
        out_channels: Channels of each branch after; as many or more.
        with_cp: Recompute what lies between in the backward pass instead of keeping it.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: Sequence[int], layers: Layers, with_cp: bool = False):
        super().__init__()
        self.with_cp = with_cp
        self.num_in = len(in_channels)
        for index, channels in enumerate(out_channels):
            if index >= self.num_in:
                self.append(self._halvings(in_channels[-1], channels, index + 1 - self.num_in, layers))
            elif channels != in_channels[index]:
                self.append(layers.conv3x3_norm(in_channels[index], channels, relu=True))
            else:
                self.append(nn.Identity())

    @staticmethod
    def _halvings(in_channels: int, out_channels: int, count: int, layers: Layers) -> nn.Sequential:
        widths = [in_channels] * count + [out_channels]
        return nn.Sequential(
            *(layers.conv3x3_norm(widths[step], widths[step + 1], stride=2, relu=True) for step in range(count))
        )

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C, H, W) a branch before, to one a branch after, each at half the resolution of the one above."""
        entering = [branches[min(index, self.num_in - 1)] for index in range(len(self))]
        if self.with_cp:
            return [recomputed(path, path, x) for path, x in zip(self, entering, strict=True)]
        return [path(x) for path, x in zip(self, entering, strict=True)]
