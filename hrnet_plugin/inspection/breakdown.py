"""What each part of a network costs: parameters, multiply-accumulates, activation memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import nn

from ..analysis.activation_memory import count_activation_memory
from ..analysis.complexity import NORM, count_complexity
from .places import Place, Places


@dataclass(frozen=True)
class PartCost:
    """What one place, or several together, cost.

    Args:
        parameters: Numbers that are learnt.
        macs: Multiply-accumulates of one image, norms left out (as in published figures).
        activations: Bytes that one image leaves behind in a forward pass of training, for the backward pass.
    """

    parameters: int = 0
    macs: int = 0
    activations: int = 0

    def __add__(self, other: PartCost) -> PartCost:
        return PartCost(
            self.parameters + other.parameters, self.macs + other.macs, self.activations + other.activations
        )


@dataclass(frozen=True)
class Breakdown:
    """The costs of a network by place; they add up to the whole exactly.

    Args:
        costs: Of each place that costs something, in the network's order.
        input_size: (width, height) of the image.
    """

    costs: Mapping[Place, PartCost]
    input_size: tuple[int, int]

    @property
    def total(self) -> PartCost:
        """All of them together."""
        return summed(self.costs.values())


def break_down(
    network: nn.Module,
    input_size: tuple[int, int],
    in_channels: int = 3,
    options: Mapping[str, object] | None = None,
) -> Breakdown:
    """Counts a network place by place, on tensors without values; the network is left as it was.

    Args:
        network: It is called with (1, in_channels, height, width).
        input_size: (width, height) of the image.
        in_channels: Channels of the image.
        options: Further arguments of its `forward`: `{"data_samples": None}` for a model of mmpose.
    """
    places = Places(network)
    found: dict[Place, PartCost] = {}

    def book(module: str, **cost: int) -> None:
        place = places.of(module)
        found[place] = found.get(place, PartCost()) + PartCost(**cost)

    for name, _ in network.named_modules():  # sets the order
        found.setdefault(places.of(name), PartCost())
    for cost in count_complexity(network, input_size, in_channels, options).costs:
        book(cost.module, parameters=cost.parameters, macs=0 if cost.kind == NORM else cost.macs)
    for name, kept in count_activation_memory(network, input_size, in_channels, options).items():
        book(name, activations=kept)
    return Breakdown({place: cost for place, cost in found.items() if cost != PartCost()}, tuple(input_size))


def summed(costs: Iterable[PartCost]) -> PartCost:
    """Several costs together."""
    return sum(costs, PartCost())
