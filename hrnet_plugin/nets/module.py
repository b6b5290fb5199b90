"""The high-resolution module: parallel branches, then their fusion."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..archs.spec import BranchSpec, Fusion
from ..errors import SpecError
from .blocks import build_branch
from .fuse import FuseLayer
from .layers import Layers
from .recompute import NESTED, Recomputing, check_recomputing, recomputed


class HighResolutionModule(nn.Module):
    """Branches at falling resolutions that exchange what they found (arXiv:1908.07919, section 3.2).

    Args:
        branches: One description a branch, from the highest resolution to the lowest.
        in_channels: Channels that enter each branch.
        fusion: How the branches are joined.
        multiscale_output: Give every branch, or the highest resolution alone.
        layers: Factories of convolutions and norms.
        with_cp: Keep what enters and leaves alone, and recompute branches and fusion in the backward pass; with
            `'nested'` block by block, so that only one block's activations are there at a time.

    Raises:
        SpecError: if `in_channels` and `branches` differ in length, or for another `with_cp`.
    """

    def __init__(
        self,
        branches: Sequence[BranchSpec],
        in_channels: Sequence[int],
        fusion: Fusion | None = None,
        multiscale_output: bool = True,
        layers: Layers | None = None,
        with_cp: Recomputing = False,
    ):
        super().__init__()
        if len(in_channels) != len(branches):
            raise SpecError(
                "in_channels", found=f"{len(in_channels)} values", expected=f"{len(branches)}, one a branch"
            )
        check_recomputing(with_cp)
        layers, fusion = layers or Layers(), fusion or Fusion()
        channels = [branch.out_channels for branch in branches]
        self.num_branches = len(branches)
        self.multiscale_output = multiscale_output
        self.with_cp = bool(with_cp)
        self.branches = nn.ModuleList(
            build_branch(branch, entering, layers, with_cp == NESTED)
            for branch, entering in zip(branches, in_channels, strict=True)
        )
        targets = self.num_branches if multiscale_output else 1
        self.out_channels = tuple(channels[:targets])
        self.fuse_layers = None
        if self.num_branches > 1:
            self.fuse_layers = nn.ModuleList(FuseLayer(channels, target, fusion, layers) for target in range(targets))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C_i, H_i, W_i) a branch to the fused branches; H_i and W_i halve from one to the next, rounded up."""
        return recomputed(self, self._exchange, *x) if self.with_cp else self._exchange(*x)

    def _exchange(self, *x: Tensor) -> list[Tensor]:
        x = [branch(entering) for branch, entering in zip(self.branches, x, strict=True)]
        if self.fuse_layers is None:
            return x
        return [self.relu(fuse(x)) for fuse in self.fuse_layers]
