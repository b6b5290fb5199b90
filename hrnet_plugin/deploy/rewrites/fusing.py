"""A folded network with its additions and ReLUs taken into its convolutions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise

from torch import nn

from ...nets import HRNet
from ...nets.module import HighResolutionModule
from ..folding import has_hooks, runs_by_itself
from ..norm_feeds import is_row
from .fused_block import FusedBlock, can_fuse_block
from .fused_conv import FusedConv2d, can_fuse
from .fused_fuse import FusedFuse, can_fuse_layer


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


def _replace(network: nn.Module, fits: Callable[[nn.Module], bool], stand_in: Callable[[nn.Module], nn.Module]) -> None:
    """Puts stand-ins where modules fit; one that is held twice has one stand-in."""
    made: dict[int, nn.Module] = {}
    for owner in list(network.modules()):
        for key, child in owner._modules.items():
            if child is not None and fits(child):
                if id(child) not in made:
                    made[id(child)] = stand_in(child)
                owner._modules[key] = made[id(child)]
