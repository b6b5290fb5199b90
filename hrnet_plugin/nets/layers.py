"""How convolutions and norms are made, handed in from outside so that the networks know no framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@dataclass(frozen=True)
class Layers:
    """The factories that every layer of a network is made by.

    Args:
        conv: Called as `nn.Conv2d` is.
        norm: Called with the number of channels.
        norm_name: Stem of a norm's attribute name, by which released weights know it: `bn1`, `gn1`.
    """

    conv: Callable[..., nn.Module] = nn.Conv2d
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d
    norm_name: str = "bn"

    def conv1x1(self, in_channels: int, out_channels: int, stride: int = 1) -> nn.Module:
        """A 1x1 convolution without bias."""
        return self.conv(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)

    def conv3x3(self, in_channels: int, out_channels: int, stride: int = 1, groups: int = 1) -> nn.Module:
        """A 3x3 convolution without bias, padded to keep the size (halve it, rounded up, at stride 2)."""
        return self.conv(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, groups=groups, bias=False)

    def conv3x3_norm(self, in_channels: int, out_channels: int, stride: int = 1, relu: bool = False) -> nn.Sequential:
        """A 3x3 convolution and its norm, with a ReLU where asked."""
        layers = [self.conv3x3(in_channels, out_channels, stride), self.norm(out_channels)]
        return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))

    def shortcut(self, in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential | None:
        """The projection beside a residual block whose shape changes, or None."""
        if in_channels == out_channels and stride == 1:
            return None
        return nn.Sequential(self.conv1x1(in_channels, out_channels, stride), self.norm(out_channels))


def keep_statistics(network: nn.Module) -> None:
    """Sets all batch norms of `network` to evaluation mode, so that training leaves their statistics as they are."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
