"""Residual blocks whose additions and ReLUs are part of their convolutions."""

from __future__ import annotations

from torch import Tensor, nn

from ...nets.blocks import BasicBlock, Bottleneck
from ..folding import runs_by_itself
from .fused_conv import FusedConv2d, can_fuse


class FusedBlock(nn.Module):
    """A residual block without norms.

    Args:
        block: One for which `can_fuse_block` holds; its weights are shared.
    """

    def __init__(self, block: BasicBlock | Bottleneck):
        super().__init__()
        convs = _numbered_convs(block)
        self.row = nn.Sequential(*(FusedConv2d(conv, relu=True) for conv in convs[:-1]))
        self.last = FusedConv2d(convs[-1], relu=True)
        self.downsample = block.downsample
        #: Whether the output may take the place of the input: where nobody else reads what the block before gave.
        self.owns_input = False
        self.train(block.training)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.last(self.row(x), shortcut, in_place=shortcut is not x or self.owns_input)


def can_fuse_block(module: nn.Module) -> bool:
    """Whether `FusedBlock` can stand in for a module: a block of ours, its norms folded."""
    if not runs_by_itself(module, BasicBlock, Bottleneck):
        return False
    convs = _numbered_convs(module)
    norms = [module.norm(number + 1) for number in range(len(convs))]
    return all(map(can_fuse, convs)) and all(type(norm) is nn.Identity for norm in norms)


def _numbered_convs(block: BasicBlock | Bottleneck) -> list[nn.Module]:
    names = ("conv1", "conv2", "conv3") if isinstance(block, Bottleneck) else ("conv1", "conv2")
    return [getattr(block, name) for name in names]
