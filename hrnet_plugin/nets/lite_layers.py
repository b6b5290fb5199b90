"""The layers of a Lite-HRNet under the names of the released weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .layers import Layers
from .named_conv import name_parts


@dataclass(frozen=True)
class LiteLayers(Layers):
    """Factories in which every 3x3 convolution between branches is separable: depthwise, then 1x1.

    Convolutions, norms and activations come in two layouts that released weights fix: numbered in a row
    (:meth:`conv3x3_norm`), or named `conv`, `bn` (whatever the norm is called) and `activate`.
    """

    @classmethod
    def of(cls, layers: Layers | None) -> LiteLayers:
        """The same factories."""
        return cls(**vars(layers or Layers()))

    def conv3x3_norm(self, in_channels: int, out_channels: int, stride: int = 1, relu: bool = False) -> nn.Sequential:
        """A depthwise 3x3 and a 1x1 convolution, a norm after each, with a ReLU at the end where asked; numbered."""
        depthwise = (self.conv3x3(in_channels, in_channels, stride, groups=in_channels), self.norm(in_channels))
        pointwise = (self.conv1x1(in_channels, out_channels), self.norm(out_channels))
        return nn.Sequential(*depthwise, *pointwise, *([nn.ReLU(inplace=True)] if relu else []))

    def named(self, conv: nn.Module, norm: nn.Module | None = None, activate: nn.Module | None = None) -> nn.Sequential:
        """`conv`, and its norm and activation where there are such, in a row, by name."""
        return name_parts(conv, norm, activate, self.norm_name)

    def depthwise(self, channels: int, stride: int = 1) -> nn.Sequential:
        """A depthwise 3x3 convolution and its norm, named."""
        return self.named(self.conv3x3(channels, channels, stride, groups=channels), self.norm(channels))

    def pointwise(self, in_channels: int, out_channels: int, sigmoid: bool = False) -> nn.Sequential:
        """A 1x1 convolution, its norm, and a ReLU or a sigmoid, named."""
        activate = nn.Sigmoid() if sigmoid else nn.ReLU(inplace=True)
        return self.named(self.conv1x1(in_channels, out_channels), self.norm(out_channels), activate)


def interleave(first: Tensor, second: Tensor) -> Tensor:
    """Joins (N, C, H, W) and (N, D, H, W) and shuffles the channels in two groups (arXiv:1707.01083, figure 1).

    With C = D the channels alternate, and one copy does what concatenation and shuffle do in two.
    """
    if first.shape == second.shape:
        return torch.stack((first, second), dim=2).flatten(1, 2)
    return torch.cat((first, second), dim=1).unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)
