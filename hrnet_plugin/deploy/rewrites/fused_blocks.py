"""Residual blocks and fuse layers whose additions and ReLUs are part of their convolutions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import Tensor, nn

from ...nets import HRNet
from ...nets.blocks import BasicBlock, Bottleneck
from ...nets.fuse import FuseLayer, UpsamplePath
from ...nets.module import HighResolutionModule
from ..folding import has_hooks
from ..norm_feeds import is_row
from .fused_conv import FusedConv2d, can_fuse
from .stepwise_sum import StepwiseFuse, runs_by_itself


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


class FusedFuse(StepwiseFuse):
    """A fuse layer and the ReLU after it.

    Args:
        fuse: A layer for which `can_fuse_layer` holds; its paths are shared.
    """

    def __init__(self, fuse: FuseLayer):
        super().__init__(fuse)
        for source in range(self.target):
            *steps, last = getattr(self, str(source))
            row = [FusedConv2d(step[0], relu=True) for step in steps]
            setattr(self, str(source), nn.Sequential(*row, FusedConv2d(last[0], relu=source == self.target - 1)))

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

    def _plus(self, total: Tensor | None, path: UpsamplePath, x: Tensor) -> Tensor:
        return path[0](x, total, in_place=total is not None)


def can_fuse_block(module: nn.Module) -> bool:
    """Whether `FusedBlock` can stand in for a module: a block of ours, its norms folded."""
    if not runs_by_itself(module, BasicBlock, Bottleneck):
        return False
    convs = _numbered_convs(module)
    norms = [module.norm(number + 1) for number in range(len(convs))]
    return all(map(can_fuse, convs)) and all(type(norm) is nn.Identity for norm in norms)


def can_fuse_layer(module: nn.Module) -> bool:
    """Whether `FusedFuse` can stand in for a module: a sum of paths, their norms folded."""
    if type(module) is not FuseLayer or module.method != "sum" or has_hooks(module):
        return False
    paths = [getattr(module, str(source)) for source in range(module.num_paths)]
    below, above = paths[module.target + 1 :], paths[: module.target]
    return all(len(path) == 1 and can_fuse(path[0]) for path in below) and all(
        len(step) == 1 and can_fuse(step[0]) for step in (path[-1] for path in above)
    )


def fuse_convolutions(network: nn.Module) -> None:
    """Takes additions and ReLUs into the convolutions before them, all over a folded network of any framework."""
    _replace(network, can_fuse_block, FusedBlock)
    held = Counter(id(child) for owner in network.modules() for child in owner._modules.values())
    for module in list(network.modules()):
        if runs_by_itself(module, HighResolutionModule) and module.fuse_layers is not None:
            _fuse_module(module)
        if isinstance(module, HRNet):
            _fuse_stem(module)
        if is_row(module):
            _fuse_row(module)
            _hand_over(module, held)
    _replace(network, can_fuse, FusedConv2d)


def _fuse_module(module: HighResolutionModule) -> None:
    if all(map(can_fuse_layer, module.fuse_layers)):
        module.fuse_layers = nn.ModuleList(map(FusedFuse, module.fuse_layers)).train(module.training)
        for fuse in module.fuse_layers:
            for source in range(fuse.target + 1, fuse.num_paths):
                path = getattr(fuse, str(source))
                path[0] = FusedConv2d(path[0])
        module.relu = nn.Identity()


def _fuse_stem(network: HRNet) -> None:
    convs = (network.conv1, network.conv2)
    if all(map(can_fuse, convs)) and type(network.norm1) is type(network.norm2) is nn.Identity:
        network.conv1, network.conv2 = (FusedConv2d(conv, relu=True) for conv in convs)
        network.relu = nn.Identity()


def _fuse_row(row: nn.Module) -> None:
    """Takes each ReLU of a row into the convolution right before it."""
    keys = list(row._modules)
    for before, after in pairwise(keys):
        conv, relu = row._modules.get(before), row._modules[after]
        if can_fuse(conv) and type(relu) is nn.ReLU and not has_hooks(relu):
            row._modules[before] = FusedConv2d(conv, relu=True)
            del row._modules[after]


def _hand_over(row: nn.Module, held: Mapping[int, int]) -> None:
    """Lets each block of a row overwrite what the block before gave, unless it stands somewhere else too."""
    for before, after in pairwise(row._modules.values()):
        if type(before) is type(after) is FusedBlock and held[id(after)] == 1:
            after.owns_input = True


def _replace(network: nn.Module, fits, stand_in) -> None:
    """Puts stand-ins where modules fit; one that is held twice has one stand-in."""
    made: dict[int, nn.Module] = {}
    for owner in list(network.modules()):
        for key, child in owner._modules.items():
            if child is not None and fits(child):
                if id(child) not in made:
                    made[id(child)] = stand_in(child)
                owner._modules[key] = made[id(child)]


def _numbered_convs(block: BasicBlock | Bottleneck) -> list[nn.Module]:
    names = ("conv1", "conv2", "conv3") if isinstance(block, Bottleneck) else ("conv1", "conv2")
    return [getattr(block, name) for name in names]
