"""Activation checkpointing: outputs are kept, what lies between is computed again in the backward pass.

Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from ..errors import SpecError

Output = TypeVar("Output")
NESTED = "nested"
#: How much is computed again: nothing, modules, or modules and within them their blocks one by one.
Recomputing = bool | Literal["nested"]


def check_recomputing(with_cp: object) -> None:
    """Raises:
    SpecError: it is none of the ways of recomputing.
    """
    if with_cp not in (False, True, NESTED):
        raise SpecError("with_cp", found=repr(with_cp), expected=f"True, False or {NESTED!r}")


def recomputed(owner: nn.Module, function: Callable[..., Output], *inputs: Tensor) -> Output:
    """`function(*inputs)`, whose intermediate tensors are computed again when gradients are asked for.

    Gradients are the same, and so are the running statistics of batch norms: the second pass leaves them alone, where
    plain checkpointing moves them twice a step.

    Args:
        owner: The module whose layers `function` runs.
        function: Gives a tensor, or a list or tuple of tensors.
        inputs: Tensors. Where nothing needs a gradient there is one pass only.
    """
    if not torch.is_grad_enabled() or not any(x.requires_grad for x in (*inputs, *owner.parameters())):
        return function(*inputs)

    def passes() -> tuple[AbstractContextManager, AbstractContextManager]:
        return nullcontext(), _statistics_left_alone(owner)

    return checkpoint(function, *inputs, use_reentrant=False, context_fn=passes)


@contextmanager
def _statistics_left_alone(owner: nn.Module) -> Iterator[None]:
    # Copies take the updates: a norm that keeps none would save other tensors than in the first pass.
    kept = [(norm, dict(norm._buffers)) for norm in owner.modules() if isinstance(norm, _BatchNorm)]
    for norm, buffers in kept:
        norm._buffers.update({name: value.clone() for name, value in buffers.items() if value is not None})
    try:
        yield
    finally:
        for norm, buffers in kept:
            norm._buffers.update(buffers)
