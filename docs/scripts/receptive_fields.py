"""How far a position of an HRNet's branch can see: intervals taken back through the layers, along one axis."""

from __future__ import annotations

from torch import nn

from hrnet_plugin.nets import HRNet
from hrnet_plugin.nets.blocks import ResidualBlock
from hrnet_plugin.nets.fuse import FuseLayer, UpsamplePath

#: First and last position that are seen, both included.
Interval = tuple[int, int]
#: Positions of branch 1 that lie differently to those of branch 4.
_PHASES = 8


def receptive_field(network: nn.Module, stage: int | None = None, branch: int = 0, exchange: bool = True) -> int:
    """How many positions across one position of the output depends on, at the most.

    Args:
        network: A row of layers, or an HRNet with all its branches.
        stage: Of an HRNet, the stage whose output is looked at.
        branch: Of an HRNet, the index of its branch.
        exchange: Whether fuse layers join the branches; without, each sees itself alone.
    """
    fields = []
    for position in range(_PHASES):
        seen = (position, position)
        if isinstance(network, HRNet):
            seen = _through_stages(network, stage or len(network.spec.stages), branch, seen, exchange)
        else:
            seen = _through(network, seen)
        fields.append(seen[1] - seen[0] + 1)
    return max(fields)


def _through_stages(network: HRNet, stage: int, branch: int, seen: Interval, exchange: bool) -> Interval:
    """From a branch after a stage back to the image."""
    branches: dict[int, Interval] = {branch: seen}
    for number in range(stage, 1, -1):
        for module in reversed(getattr(network, f"stage{number}")):
            if exchange:
                branches = _through_fusion(module.fuse_layers, branches)
            branches = {index: _through(module.branches[index], own) for index, own in branches.items()}
        transition = getattr(network, f"transition{number - 1}")
        entering: dict[int, Interval] = {}
        for index, own in branches.items():
            _join(entering, min(index, transition.num_in - 1), _through(transition[index], own))
        branches = entering
    seen = _through(network.layer1, branches[0])
    for layer in (network.conv2, network.conv1):
        seen = _through(layer, seen)
    return seen


def _through_fusion(fuse_layers: nn.ModuleList, leaving: dict[int, Interval]) -> dict[int, Interval]:
    entering: dict[int, Interval] = {}
    for target, seen in leaving.items():
        layer: FuseLayer = fuse_layers[target]
        for source in range(layer.num_paths):
            _join(entering, source, _through(getattr(layer, str(source)), seen))
    return entering


def _join(intervals: dict[int, Interval], index: int, seen: Interval) -> None:
    low, high = intervals.get(index, seen)
    intervals[index] = (min(low, seen[0]), max(high, seen[1]))


def _through(layer: nn.Module, seen: Interval) -> Interval:
    """From what leaves a layer, or a row of them, back to what enters it."""
    if isinstance(layer, nn.Conv2d):
        stride, padding, kernel = layer.stride[0], layer.padding[0], layer.kernel_size[0]
        return seen[0] * stride - padding, seen[1] * stride - padding + kernel - 1
    if isinstance(layer, UpsamplePath):  # its 1x1 convolution widens nothing
        return seen[0] // layer.factor, seen[1] // layer.factor
    if isinstance(layer, ResidualBlock):  # the shortcut sees less than the convolutions
        convolutions = [getattr(layer, name) for name in ("conv3", "conv2", "conv1") if hasattr(layer, name)]
        for convolution in convolutions:
            seen = _through(convolution, seen)
        return seen
    for child in reversed(list(layer.children())):
        seen = _through(child, seen)
    return seen
