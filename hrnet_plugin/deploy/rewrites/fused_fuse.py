"""Fuse layers whose additions and ReLU are part of their convolutions, lower resolutions added step by step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...nets.fuse import FuseLayer, UpsamplePath
from ..folding import has_hooks
from .fused_conv import FusedConv2d, can_fuse


class FusedFuse(nn.Module):
    """A fuse layer and the ReLU after it.

    What comes from below, `up8(c) + up4(b) + up2(a)`, is taken as `up2(up2(up2(c) + b) + a)`: the same numbers in
    another order of addition, since nearest enlargement by a power of two repeats values and may be taken in steps. In
    bilinear mode, and where a size is no such multiple (an odd one, rounded up by the strides), every path goes to its
    target by itself.

    Args:
        fuse: A layer for which `can_fuse_layer` holds; its weights are shared.
    """

    def __init__(self, fuse: FuseLayer):
        super().__init__()
        self.target, self.num_paths = fuse.target, fuse.num_paths
        for source in range(self.num_paths):
            path = getattr(fuse, str(source))
            if source < self.target:
                *steps, last = path
                row = [FusedConv2d(step[0], relu=True) for step in steps]
                # The layer's own ReLU is part of the convolution that is added last.
                path = nn.Sequential(*row, FusedConv2d(last[0], relu=source == self.target - 1))
            elif source > self.target:
                path[0] = FusedConv2d(path[0])
            self.add_module(str(source), path)
        self.nearest = all(path.mode == "nearest" for path in self.children() if isinstance(path, UpsamplePath))
        self.train(fuse.training)

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """One (N, C_i, H_i, W_i) a branch to (N, C_target, H_target, W_target), after the ReLU."""
        total = branches[self.target]
        if self.target < self.num_paths - 1:
            total = self._from_below(branches, total.shape[2:]) + total
        for source in range(self.target):
            x = branches[source]
            *steps, last = getattr(self, str(source))
            for step in steps:
                x = step(x)
            total = last(x, total, in_place=total is not branches[self.target])
        return total if self.target else total.relu_()

    def _from_below(self, branches: Sequence[Tensor], size: torch.Size) -> Tensor:
        """All that comes from lower resolutions, (N, C_target, *size)."""
        lowest = self.num_paths - 1
        sizes = [branch.shape[2:] for branch in branches]
        total = None
        if self.nearest and all(_doubled(sizes[low], sizes[low - 1]) for low in range(lowest, self.target, -1)):
            for source in range(lowest, self.target, -1):
                conv = getattr(self, str(source))[0]
                total = conv(branches[source], total, in_place=total is not None)
                total = F.interpolate(total, size=sizes[source - 1], mode="nearest")
        else:
            for source in range(lowest, self.target, -1):
                part = getattr(self, str(source))(branches[source], size)
                total = part if total is None else total + part
        return total


def can_fuse_layer(module: nn.Module) -> bool:
    """Whether `FusedFuse` can stand in for a module: a sum of paths, their norms folded."""
    if type(module) is not FuseLayer or module.method != "sum" or has_hooks(module):
        return False
    paths = [getattr(module, str(source)) for source in range(module.num_paths)]
    below, above = paths[module.target + 1 :], paths[: module.target]
    if any(map(has_hooks, (*paths, *(step for path in above for step in path)))):
        return False
    # Each halving is a convolution and a ReLU, the last without: norms that could not be folded would stand between.
    rows = [[list(step) for step in path] for path in above]
    halvings = [step for row in rows for step in row[:-1]]
    return (
        all(len(path) == 1 and can_fuse(path[0]) for path in below)
        and all(len(step) == 2 and can_fuse(step[0]) and _is_relu(step[1]) for step in halvings)
        and all(len(row[-1]) == 1 and can_fuse(row[-1][0]) for row in rows)
    )


def _is_relu(module: nn.Module) -> bool:
    return type(module) is nn.ReLU and not has_hooks(module)


def _doubled(low: torch.Size, high: torch.Size) -> bool:
    return high[0] == 2 * low[0] and high[1] == 2 * low[1]
