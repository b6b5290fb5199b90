"""Fuse layers that add lower resolutions step by step, each sum enlarged once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nets.fuse import FuseLayer, UpsamplePath
from ..folding import has_hooks


class StepwiseFuse(nn.Module):
    """`up8(c) + up4(b) + up2(a)` as `up2(up2(up2(c) + b) + a)`: the same numbers in another order of addition.

    Nearest enlargement by a power of two repeats values, so that it may be taken in steps. In bilinear mode, and where
    a size is no such multiple (an odd one, rounded up by the strides), every path goes to its target by itself.

    Args:
        fuse: A sum or mean of paths; they are shared.
    """

    def __init__(self, fuse: FuseLayer):
        super().__init__()
        self.target, self.num_paths, self.method = fuse.target, fuse.num_paths, fuse.method
        for source in range(self.num_paths):
            self.add_module(str(source), getattr(fuse, str(source)))
        self.nearest = all(path.mode == "nearest" for path in self.children() if isinstance(path, UpsamplePath))
        self.train(fuse.training)

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """One (N, C_i, H_i, W_i) a branch to (N, C_target, H_target, W_target), before the ReLU."""
        size = branches[self.target].shape[2:]
        total = self._from_below(branches, size) + branches[self.target]
        for source in range(self.target):
            total = total + getattr(self, str(source))(branches[source], size)
        return total / self.num_paths if self.method == "mean" else total

    def _from_below(self, branches: Sequence[Tensor], size: torch.Size) -> Tensor:
        """All that comes from lower resolutions, (N, C_target, *size)."""
        lowest = self.num_paths - 1
        sizes = [branch.shape[2:] for branch in branches]
        total = None
        if self.nearest and all(_doubled(sizes[low], sizes[low - 1]) for low in range(lowest, self.target, -1)):
            for source in range(lowest, self.target, -1):
                total = self._plus(total, getattr(self, str(source)), branches[source])
                total = F.interpolate(total, size=sizes[source - 1], mode="nearest")
        else:
            for source in range(lowest, self.target, -1):
                part = getattr(self, str(source))(branches[source], size)
                total = part if total is None else total + part
        return total

    def _plus(self, total: Tensor | None, path: UpsamplePath, x: Tensor) -> Tensor:
        """What a path gives before it is enlarged, added to the sum so far."""
        part = nn.Sequential.forward(path, x)
        return part if total is None else total + part


def _doubled(low: torch.Size, high: torch.Size) -> bool:
    return high[0] == 2 * low[0] and high[1] == 2 * low[1]


def runs_by_itself(module: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Whether a module runs as one of `kinds` does, of which it may be a subclass, and nothing is called with it."""
    return any(isinstance(module, kind) and type(module).forward is kind.forward for kind in kinds) and not has_hooks(
        module
    )
