"""The module whose backward pass turned finite gradients into others.

Hooks sit on the tensors that modules take and give: torch's own backward hooks on modules forbid what follows them to
work in place, as the ReLUs of residual blocks do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from .culprit import Culprit
from .tensors import broken_images, replaced_tensors, tensors_in


@dataclass
class _Call:
    """One call of a module: what its backward pass was given, and what it gave."""

    name: str
    kind: str
    given_broken: int | None = None
    made_broken: int | None = None
    images: tuple[int, ...] = ()


class GradientWatch:
    """Looks at the gradients of what goes into each module and comes out of it.

    Args:
        network: Its modules are looked at.
        count: Images in the batch.
    """

    def __init__(self, network: nn.Module, count: int):
        self._network = network
        self._count = count
        self._calls: list[_Call] = []
        self._open: list[_Call] = []
        self._seen = 0
        self._in_forward = True

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Has the forward pass that runs meanwhile, and its backward pass, looked at."""
        handles = []
        for name, module in self._network.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(partial(self._before, name), with_kwargs=True))
                handles.append(module.register_forward_hook(partial(self._after, name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def forward_over(self) -> None:
        """Between the two passes."""
        self._in_forward = False

    def _before(self, name: str, module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        call = _Call(name, type(module).__name__)
        # Activations that are computed again in the backward pass have to come about as they did before, views and
        # all; but no gradient passes through the modules that do it.
        if self._in_forward:
            self._calls.append(call)
        self._open.append(call)
        return replaced_tensors((args, kwargs), partial(self._own_view, call))

    def _own_view(self, call: _Call, tensor: Tensor) -> Tensor:
        """The same tensor, whose gradient comes from this call alone and not from others that take it, too."""
        if not tensor.requires_grad:
            return tensor
        view = tensor.view_as(tensor)
        view.register_hook(partial(self._made, call))
        return view

    def _after(self, name: str, module: nn.Module, args: tuple, output: object) -> None:
        call = self._open.pop()
        while call.name != name:  # recomputing stops in the middle of modules when it has what it needs
            call = self._open.pop()
        for tensor in tensors_in(output):
            if tensor.requires_grad:
                tensor.register_hook(partial(self._given, call))

    def _given(self, call: _Call, gradient: Tensor) -> None:
        self._seen += 1
        if call.given_broken is None and not finite_norm(gradient):
            call.given_broken = self._seen
            call.images = broken_images(gradient, self._count)

    def _made(self, call: _Call, gradient: Tensor) -> None:
        self._seen += 1
        if call.made_broken is None and not finite_norm(gradient):
            call.made_broken = self._seen
            call.images = call.images or broken_images(gradient, self._count)

    def after_all(self, gradients: Mapping[str, Tensor]) -> Culprit | None:
        """Where gradients were first not finite.

        Args:
            gradients: Those of the parameters, by name.
        """
        broken = [name for name, gradient in gradients.items() if not finite_norm(gradient)]
        owners = {name.rpartition(".")[0]: name for name in reversed(broken)}
        sound = [call for call in self._calls if call.given_broken is None]
        makers = [call for call in sound if call.made_broken is not None or call.name in owners]
        innermost = [call for call in makers if not any(one.name.startswith(f"{call.name}.") for one in makers)]
        later = self._seen + 1
        if innermost:
            first = min(innermost, key=lambda call: call.made_broken or later)
            return _made_by(first, owners.get(first.name, ""), first.made_broken or later)
        reached = [call for call in self._calls if call.given_broken is not None]
        if reached:
            first = min(reached, key=lambda call: (call.given_broken, -call.name.count(".")))
            words = f"the gradient that reaches the output of {first.name}, from what is computed after it"
            return Culprit(first.given_broken, first.name.rpartition(".")[0] or first.name, words, first.images)
        return Culprit(later, broken[0], f"the gradient of {broken[0]}") if broken else None


def _made_by(call: _Call, parameter: str, order: int) -> Culprit:
    what = f"the gradient of {parameter}"
    if call.made_broken is not None:
        what = f"the gradient that {call.name} ({call.kind}) passes back to what enters it"
    words = f"{what}, though the gradient of its output was finite"
    return Culprit(order, call.name, words, call.images)


def finite_norm(gradient: Tensor) -> bool:
    """Whether a gradient has a norm: it holds no NaN or infinity, and no number too large to be squared.

    Clipping by norm and Adam square gradients, so that one of 1e20 does the harm of an infinite one.
    """
    kind = torch.promote_types(gradient.dtype, torch.float32)
    return bool(torch.isfinite(torch.linalg.vector_norm(gradient.detach(), dtype=kind)))
