"""The stage that doubles the resolution in HigherHRNet (Cheng et al., arXiv:1908.10357, section 3.2)."""

from __future__ import annotations

from torch import nn

from .blocks import BasicBlock
from .layers import Layers


def build_deconv_stage(in_channels: int, channels: int, num_blocks: int, layers: Layers | None = None) -> nn.Sequential:
    """A transposed convolution of kernel 4 and stride 2, then basic blocks.

    The nesting is that of the released weights: `0.0` and `0.1` are the convolution and its norm, `<i>.0` the blocks.

    Args:
        in_channels: Channels that enter.
        channels: Channels that leave.
        num_blocks: Residual blocks after the convolution.
        layers: Factories of convolutions and norms.

    Shapes: (N, in_channels, H, W) to (N, channels, 2 H, 2 W).
    """
    layers = layers or Layers()
    upward = nn.ConvTranspose2d(in_channels, channels, kernel_size=4, stride=2, padding=1, bias=False)
    first = nn.Sequential(upward, layers.norm(channels), nn.ReLU(inplace=True))
    blocks = [nn.Sequential(BasicBlock(channels, channels, layers=layers)) for _ in range(num_blocks)]
    return nn.Sequential(first, *blocks)
