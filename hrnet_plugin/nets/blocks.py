"""Residual blocks (He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, figure 5)."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ..archs.spec import EXPANSION, BranchSpec
from .layers import Layers
from .recompute import recomputed


class ResidualBlock(nn.Module, ABC):
    """What both blocks share: numbered norms, the shortcut, checkpointing.

    Args:
        in_channels: Channels that enter.
        width: Base width; `width * expansion` channels leave.
        stride: Stride of the block's (first) 3x3 convolution.
        downsample: The projection of the shortcut; None for an identity.
        layers: Factories of convolutions and norms.
        with_cp: Recompute activations in the backward pass instead of keeping them.
    """

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        *,
        layers: Layers | None = None,
        with_cp: bool = False,
    ):
        super().__init__()
        layers = layers or Layers()
        self.in_channels = in_channels
        self.out_channels = width * self.expansion
        self.stride = stride
        self.with_cp = with_cp
        self._norm_name = layers.norm_name
        self._build(layers, width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def _add_norm(self, number: int, norm: nn.Module) -> None:
        self.add_module(f"{self._norm_name}{number}", norm)

    def norm(self, number: int) -> nn.Module:
        """The norm after convolution `number`, whatever its attribute is called."""
        return getattr(self, f"{self._norm_name}{number}")

    @property
    @abstractmethod
    def last_norm(self) -> nn.Module:
        """The norm whose weight is zeroed to let the block begin as an identity."""

    @abstractmethod
    def _build(self, layers: Layers, width: int) -> None:
        """Adds convolutions and norms under the names of the released weights."""

    @abstractmethod
    def _residual(self, x: Tensor) -> Tensor:
        """What the block adds to its shortcut."""

    def _sum(self, x: Tensor) -> Tensor:
        out = self._residual(x)
        out += x if self.downsample is None else self.downsample(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return self.relu(recomputed(self, self._sum, x) if self.with_cp else self._sum(x))


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions."""

    def _build(self, layers: Layers, width: int) -> None:
        self.conv1 = layers.conv3x3(self.in_channels, width, self.stride)
        self._add_norm(1, layers.norm(width))
        self.conv2 = layers.conv3x3(width, width)
        self._add_norm(2, layers.norm(width))

    @property
    def last_norm(self) -> nn.Module:
        return self.norm(2)

    def _residual(self, x: Tensor) -> Tensor:
        out = self.relu(self.norm(1)(self.conv1(x)))
        return self.norm(2)(self.conv2(out))


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions; four times the width leaves."""

    expansion = 4

    def _build(self, layers: Layers, width: int) -> None:
        self.conv1 = layers.conv1x1(self.in_channels, width)
        self._add_norm(1, layers.norm(width))
        self.conv2 = layers.conv3x3(width, width, self.stride)
        self._add_norm(2, layers.norm(width))
        self.conv3 = layers.conv1x1(width, self.out_channels)
        self._add_norm(3, layers.norm(self.out_channels))

    @property
    def last_norm(self) -> nn.Module:
        return self.norm(3)

    def _residual(self, x: Tensor) -> Tensor:
        out = self.relu(self.norm(1)(self.conv1(x)))
        out = self.relu(self.norm(2)(self.conv2(out)))
        return self.norm(3)(self.conv3(out))


BLOCKS: dict[str, type[ResidualBlock]] = {"BASIC": BasicBlock, "BOTTLENECK": Bottleneck}
assert {name: block.expansion for name, block in BLOCKS.items()} == EXPANSION


def build_branch(spec: BranchSpec, in_channels: int, layers: Layers, with_cp: bool = False) -> nn.Sequential:
    """A row of residual blocks: (N, in_channels, H, W) to (N, spec.out_channels, H, W)."""
    block = BLOCKS[spec.block]
    shortcut = layers.shortcut(in_channels, spec.out_channels)
    blocks = [block(in_channels, spec.width, downsample=shortcut, layers=layers, with_cp=with_cp)]
    for _ in range(1, spec.num_blocks):
        blocks.append(block(spec.out_channels, spec.width, layers=layers, with_cp=with_cp))
    return nn.Sequential(*blocks)
