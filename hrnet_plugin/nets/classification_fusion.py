"""HRNet's classification head below the pooling (arXiv:1908.07919, appendix): all scales to the lowest resolution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ..archs.spec import BranchSpec, check_count, check_flag
from .blocks import build_branch
from .layers import Layers
from .named_conv import name_conv
from .scales import check_scales, read_channels


class ClassificationFusion(nn.Module):
    """A bottleneck widens each scale; from the highest resolution down, each is halved and added to the next.

    Args:
        in_channels: Channels of each scale, from the highest resolution to the lowest.
        out_channels: Channels of the result.
        first_width: Base width of the first scale's bottleneck; it doubles from scale to scale, and four times the
            width leaves a bottleneck: 128, 256, 512 and 1024 channels in the published networks.
        conv_bias: Give the strided and the last convolution a bias, as the authors' released weights and timm's have.
        layers: Factories of convolutions and norms.

    Raises:
        SpecError: for a wrong argument, by its name.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 2048,
        first_width: int = 32,
        conv_bias: bool = False,
        layers: Layers | None = None,
    ):
        super().__init__()
        layers = layers or Layers()
        self.in_channels = read_channels(in_channels)
        self.out_channels = check_count("neck.out_channels", out_channels)
        check_count("neck.first_width", first_width)
        bias = check_flag("neck.conv_bias", conv_bias)
        blocks = [BranchSpec("BOTTLENECK", 1, first_width * 2**index) for index in range(len(self.in_channels))]
        widths = [block.out_channels for block in blocks]
        self.increase_layers = nn.ModuleList(
            build_branch(block, channels, layers) for block, channels in zip(blocks, self.in_channels, strict=True)
        )
        self.downsample_layers = nn.ModuleList(
            name_conv(layers.conv(above, below, kernel_size=3, stride=2, padding=1, bias=bias), layers, below)
            for above, below in pairwise(widths)
        )
        final = layers.conv(widths[-1], out_channels, kernel_size=1, bias=bias)
        self.final_layer = name_conv(final, layers, out_channels)

    def forward(self, scales: Sequence[Tensor]) -> tuple[Tensor]:
        """One (N, in_channels[i], H_i, W_i) a scale to a tuple of one (N, out_channels, H_last, W_last).

        Raises:
            ConfigError: where the scales are not those of `in_channels`.
        """
        check_scales(scales, self.in_channels)
        total = self.increase_layers[0](scales[0])
        for halve, increase, scale in zip(self.downsample_layers, self.increase_layers[1:], scales[1:], strict=True):
            total = halve(total) + increase(scale)
        return (self.final_layer(total),)
