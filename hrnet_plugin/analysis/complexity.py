"""Parameters and multiply-accumulates of a network, module by module, without computing anything.

The one unit is the multiply-accumulate (MAC), printed as 10**9 of them. Published "GFLOPs" of this family are MACs too,
but those of the authors' pose and segmentation code are divided by 2**30: :func:`in_gibi` is for comparing with them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from .dry_run import Followed, following, is_deformable, run_without_values, state_without_values

CONVOLUTION, LINEAR, PRODUCT, NORM, OTHER = "convolution", "linear", "product", "norm", "other"
_NORM_MODULES = (_NormBase, nn.GroupNorm, nn.LayerNorm)
_aten = torch.ops.aten
_NORM_OPERATORS = {
    _aten.native_batch_norm,
    _aten.native_group_norm,
    _aten.native_layer_norm,
    _aten._native_batch_norm_legit,
}
_CONVOLUTION_OPERATORS = {_aten.convolution, _aten._convolution}


def in_billions(macs: int) -> float:
    """MACs in the unit of this project, 10**9."""
    return macs / 10**9


def in_gibi(macs: int) -> float:
    """MACs in the unit of the authors' pose and segmentation code, 2**30, there called GFLOPs."""
    return macs / 2**30


@dataclass(frozen=True)
class Cost:
    """What one module costs by itself, without its children.

    Args:
        module: Its name in the network; the empty string is the network itself.
        kind: `convolution`, `linear`, `product` (products of two activations, as in attention), `norm` or `other`.
        parameters: Numbers that it learns.
        macs: Multiply-accumulates of one forward pass. A norm is taken at one for each element that leaves it.
    """

    module: str
    kind: str
    parameters: int = 0
    macs: int = 0


@dataclass(frozen=True)
class Complexity:
    """The costs of all modules of a network.

    Args:
        costs: One entry a module and kind, in the order of the modules; modules that cost nothing have none.
        input_size: (width, height) of the image.
    """

    costs: tuple[Cost, ...]
    input_size: tuple[int, int]

    @property
    def parameters(self) -> int:
        """All parameters; one that several modules share is counted once."""
        return sum(cost.parameters for cost in self.costs)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of everything but the norms, which vanish into the convolutions when a network is used.

        Published figures leave them out too; mmengine's counter does not.
        """
        return sum(cost.macs for cost in self.costs if cost.kind != NORM)

    def of_kind(self, kind: str) -> Complexity:
        """The part that is of `kind`; its MACs are in its costs, also for norms."""
        return replace(self, costs=tuple(cost for cost in self.costs if cost.kind == kind))

    def of_module(self, name: str) -> Complexity:
        """The module `name` with everything below it."""
        return replace(
            self, costs=tuple(cost for cost in self.costs if f"{cost.module}.".startswith(f"{name}.") or not name)
        )

    def macs_by_kind(self) -> dict[str, int]:
        """Multiply-accumulates of each kind, norms included."""
        totals: dict[str, int] = {}
        for cost in self.costs:
            totals[cost.kind] = totals.get(cost.kind, 0) + cost.macs
        return totals


def count_complexity(
    module: nn.Module,
    input_size: tuple[int, int],
    in_channels: int = 3,
    options: Mapping[str, object] | None = None,
) -> Complexity:
    """Counts parameters, and the multiply-accumulates of one image.

    The forward pass runs in evaluation mode on tensors without values, so that a large network costs a fraction of
    a second and no memory. The module is left as it was. Sampling, pooling, activations and additions are not
    counted; of a deformable convolution, the convolution is.

    Args:
        module: The network; it is called with (1, in_channels, height, width).
        input_size: (width, height) of the image.
        in_channels: Channels of the image.
        options: Further arguments of its `forward`: `{"data_samples": None}` for a model of mmpose.
    """
    state = state_without_values(module)
    with following(module) as followed, torch.no_grad():
        for child in module.modules():
            child.training = False
        with _Counter(followed) as counter:
            run_without_values(module, state, input_size, in_channels, options)
    return Complexity(tuple(_join(module, counter.macs)), tuple(input_size))


def _join(module: nn.Module, macs: Mapping[tuple[str, str], int]) -> Iterator[Cost]:
    """Parameters by module and MACs by module and kind, as one list."""
    seen: set[int] = set()
    for name, child in module.named_modules():
        own = {kind: count for (where, kind), count in macs.items() if where == name}
        learnt = {id(value): value.numel() for value in child.parameters(recurse=False) if id(value) not in seen}
        seen |= set(learnt)
        if learnt:
            own.setdefault(_kind_of(child), 0)
        for kind, count in own.items():
            parameters = sum(learnt.values()) if kind == _kind_of(child) else 0
            yield Cost(name, kind, parameters, count)


def _kind_of(module: nn.Module) -> str:
    if isinstance(module, _NORM_MODULES):
        return NORM
    if isinstance(module, nn.Linear):
        return LINEAR
    return CONVOLUTION if isinstance(module, _ConvNd) or is_deformable(module) else OTHER


class _Counter(TorchDispatchMode):
    """Sees every operator and books it on the innermost module that is running."""

    def __init__(self, followed: Followed):
        super().__init__()
        self.macs: dict[tuple[str, str], int] = {}
        self._followed = followed
        followed.book_convolution = functools.partial(self._book, CONVOLUTION)

    def _book(self, kind: str, macs: int) -> None:
        name = self._followed.name
        self.macs[name, kind] = self.macs.get((name, kind), 0) + macs

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        operator = func.overloadpacket
        if operator in _NORM_OPERATORS:
            # Torch takes a norm without values apart into twenty operators, most of the time of a pass.
            self._book(NORM, args[0].numel())
            return torch.empty_like(args[0]), args[0].new_empty(0), args[0].new_empty(0)
        out = func(*args, **(kwargs or {}))
        if operator in flop_registry:
            # torch's formulas count a multiplication and an addition as two.
            macs = flop_registry[operator](*args, **(kwargs or {}), out_val=out) // 2
            self._book(self._operator_kind(operator), macs)
        return out

    def _operator_kind(self, operator: object) -> str:
        if operator in _CONVOLUTION_OPERATORS:
            return CONVOLUTION
        running = self._followed.running
        is_linear = running and isinstance(running[-1][1], nn.Linear)
        return LINEAR if is_linear else PRODUCT
