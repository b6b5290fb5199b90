"""The lite high-resolution module: cheap blocks in parallel branches, then their fusion."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..archs.lite import LiteStageSpec
from ..archs.spec import Fusion
from .fuse import FuseLayer
from .lite_blocks import ConditionalChannelWeighting, ShuffleUnit
from .lite_layers import LiteLayers


class LiteFuseLayer(FuseLayer):
    """Joins all branches into output branch `target`, that of the highest resolution counted twice.

    The doubling is a slip in the authors' code with which all released weights were trained.
    """

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """One (N, C_i, H_i, W_i) a branch to (N, C_target, H_target, W_target), before the ReLU."""
        size = branches[self.target].shape[2:]
        paths = list(self.children())
        first = paths[0](branches[0], size)
        # In training the path runs twice, since its norms gather statistics at each run. Otherwise both are the same.
        total = first + (paths[0](branches[0], size) if self.training else first)
        for path, x in zip(paths[1:], branches[1:], strict=True):
            total = total + path(x, size)
        return total


class LiteHighResolutionModule(nn.Module):
    """Branches at falling resolutions that exchange what they found (arXiv:2104.06403, section 3).

    Args:
        stage: The description of the stage that the module stands in.
        layers: Factories of convolutions and norms.
        with_cp: Recompute the blocks' activations in the backward pass instead of keeping them.
    """

    def __init__(self, stage: LiteStageSpec, layers: LiteLayers, with_cp: bool = False):
        super().__init__()
        self.is_naive = stage.module_type == "NAIVE"
        self.layers = self._branches(stage, layers, with_cp) if self.is_naive else self._rows(stage, layers, with_cp)
        self.fuse_layers = None
        if stage.with_fuse and len(stage.channels) > 1:
            targets = range(len(stage.channels))
            self.fuse_layers = nn.ModuleList(
                LiteFuseLayer(stage.channels, target, Fusion(), layers) for target in targets
            )
        self.relu = nn.ReLU()

    @staticmethod
    def _branches(stage: LiteStageSpec, layers: LiteLayers, with_cp: bool) -> nn.ModuleList:
        return nn.ModuleList(
            nn.Sequential(*(ShuffleUnit(channels, layers, with_cp) for _ in range(stage.num_blocks)))
            for channels in stage.channels
        )

    @staticmethod
    def _rows(stage: LiteStageSpec, layers: LiteLayers, with_cp: bool) -> nn.Sequential:
        return nn.Sequential(
            *(
                ConditionalChannelWeighting(stage.channels, stage.reduce_ratio, layers, with_cp)
                for _ in range(stage.num_blocks)
            )
        )

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        """One (N, C_i, H_i, W_i) a branch to the same; H_i and W_i halve from one to the next, rounded up."""
        if self.is_naive:
            branches = [row(x) for row, x in zip(self.layers, branches, strict=True)]
        else:
            branches = self.layers(branches)
        return branches if self.fuse_layers is None else self._fuse(branches)

    def _fuse(self, branches: Sequence[Tensor]) -> list[Tensor]:
        fused: list[Tensor] = []
        for fuse in self.fuse_layers:
            total = fuse(branches)
            if not fused:
                # The lower resolutions are joined from the highest one as it has just become, before its ReLU: the
                # authors' code adds in place, and released weights were trained so.
                branches = [total, *branches[1:]]
            fused.append(self.relu(total))
        return fused
