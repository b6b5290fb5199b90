"""Weights and gradients: their norms by stage and branch, and where no gradient arrives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...findings import ERROR, NOTE, Finding
from ..grouping import by_part
from ..places import Place, Places

#: A part whose gradient is this much smaller than the largest of all parts hardly learns beside it.
VANISHED = 1e-4
#: Norm of the whole gradient from which on a step of any usual learning rate throws the weights off.
EXPLODED = 1e4


@dataclass(frozen=True)
class Squares:
    """Sums of squares over the parameters of a place.

    Args:
        weights, gradients: Sums of squares.
        count: Numbers.
        trained: Those of them that a gradient is wanted for.
    """

    weights: float = 0.0
    gradients: float = 0.0
    count: int = 0
    trained: int = 0

    @property
    def weight_norm(self) -> float:
        """Euclidean norm of the weights."""
        return math.sqrt(self.weights)

    @property
    def gradient_norm(self) -> float:
        """Euclidean norm of the gradient."""
        return math.sqrt(self.gradients)

    @property
    def gradient_rms(self) -> float:
        """Root mean square of the gradient, over the numbers that are trained: comparable between parts."""
        return math.sqrt(self.gradients / self.trained) if self.trained else 0.0

    def __add__(self, other: Squares) -> Squares:
        return Squares(
            self.weights + other.weights,
            self.gradients + other.gradients,
            self.count + other.count,
            self.trained + other.trained,
        )


def examine_gradients(network: nn.Module) -> dict[Place, Squares]:
    """Sums of squares of weights and gradients by place, after a backward pass."""
    places = Places(network)
    found: dict[Place, Squares] = {}
    for name, parameter in network.named_parameters():
        gradient = parameter.grad
        own = Squares(
            _squares(parameter),
            0.0 if gradient is None else _squares(gradient),
            parameter.numel(),
            parameter.numel() if parameter.requires_grad else 0,
        )
        place = places.of(name)
        found[place] = found.get(place, Squares()) + own
    return found


def gradient_findings(network: nn.Module, found: Mapping[Place, Squares]) -> Iterator[Finding]:
    """What is wrong with weights and gradients."""
    yield from _not_finite(network)
    yield from _missing(network)
    total = sum(found.values(), Squares()).gradient_norm
    if math.isfinite(total) and total > EXPLODED:
        yield Finding(
            NOTE, "gradient-exploded", "gradient of the whole network", f"norm {total:.3g}", f"below {EXPLODED:g}",
            "Lower the learning rate, warm up, or clip gradients (optim_wrapper.clip_grad)",
        )  # fmt: skip
    parts = {name: value for name, value in by_part(found).items() if value.trained}
    strongest = max(parts, key=lambda name: parts[name].gradient_rms, default=None)
    largest = parts[strongest].gradient_rms if strongest else 0.0
    if not math.isfinite(largest):
        return
    for name, value in parts.items():
        if 0 < value.gradient_rms < VANISHED * largest:
            yield Finding(
                NOTE,
                "gradient-vanished",
                name,
                f"a gradient of {value.gradient_rms:.2g} a number, where {strongest} has {largest:.2g}",
                f"a share above {VANISHED:g}",
                "It hardly learns beside the rest: dead ReLUs or norms behind it, a saturated loss, or a part that "
                "starts from trained weights beside a new head",
            )


def _not_finite(network: nn.Module) -> Iterator[Finding]:
    wrong = [name for name, value in network.named_parameters() if not bool(torch.isfinite(value).all())]
    if wrong:
        yield Finding(
            ERROR, "weights-not-finite", wrong[0], f"NaN or infinite weights, in {len(wrong)} parameters", "numbers",
            "Training has diverged: take an earlier checkpoint and lower the learning rate", len(wrong),
            tuple(wrong[1:4]),
        )  # fmt: skip
    broken = [
        name
        for name, value in network.named_parameters()
        if value.grad is not None and not bool(torch.isfinite(value.grad).all())
    ]
    if broken:
        yield Finding(
            ERROR, "gradient-not-finite", broken[-1],
            f"a gradient that is NaN or infinite, in {len(broken)} parameters", "numbers",
            "Look for what is not finite further behind: weights, statistics of norms, the data, the loss",
            len(broken), tuple(broken[-4:-1]),
        )  # fmt: skip


def _missing(network: nn.Module) -> Iterator[Finding]:
    trained = [(name, value) for name, value in network.named_parameters() if value.requires_grad]
    unused = [name for name, value in trained if value.grad is None]
    if unused:
        yield Finding(
            NOTE, "gradient-none", unused[0], f"no gradient: the loss does not depend on {len(unused)} parameters",
            "", "Layers that nothing reads, such as branches that the head does not take; distributed training then "
            "needs find_unused_parameters=True", len(unused), tuple(unused[1:4]),
        )  # fmt: skip
    zero = [name for name, value in trained if value.grad is not None and value.dim() > 1 and not value.grad.any()]
    if zero:
        yield Finding(
            NOTE, "gradient-zero", zero[0], f"a gradient of exactly 0, in {len(zero)} layers", "",
            "Everything behind it is dead (ReLUs, norms with weight 0), or the batch has no labels for it", len(zero),
            tuple(zero[1:4]),
        )  # fmt: skip


def _squares(values: Tensor) -> float:
    return float(values.detach().double().square().sum())
