"""Updates that more batches are to come to: their gradients, and the batches that each optimizer has had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from mmengine.dist import all_gather_object, all_reduce
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

from ..checkpoint_fit import unwrapped
from .position import TrainingPosition


def counts_by_part(wrapper: object) -> dict[str, list[int]]:
    """Batches an update and batches so far of each of several optimizers, by name; empty where there is one alone.

    A single one counts what the loop counts.
    """
    if not isinstance(wrapper, OptimWrapperDict):
        return {}
    return {name: [part._accumulative_counts, part._inner_count] for name, part in wrapper.items()}


def batches_an_update(wrapper: object) -> int:
    """How many batches an update follows from; the most of any, where there are several optimizers."""
    parts = counts_by_part(wrapper)
    if parts:
        return max(most for most, _ in parts.values())
    return getattr(wrapper, "_accumulative_counts", 1)


@torch.no_grad()
def waiting_gradients(runner: Runner) -> dict[str, Tensor] | None:
    """The gradients that an update waits with for more batches; to be called by all processes together.

    Each process has its own until the update. They are made the same here, which their mean stays the same by: the
    training that goes on has then what the resumed one gets.

    Returns:
        By the parameter's name; None between two updates.
    """
    wrapper = runner.optim_wrapper
    if not isinstance(wrapper, OptimWrapper):
        return None
    # Of several optimizers one may leave gradients to another that is between two updates.
    if not isinstance(wrapper, OptimWrapperDict) and wrapper.should_update():
        return None
    parameters = dict(unwrapped(runner.model).named_parameters())
    here = {name for name, parameter in parameters.items() if parameter.grad is not None}
    # A process need not have used every parameter, and each reduction takes all. One that nobody used stays without:
    # an optimizer would move it by a gradient of zero, too.
    anywhere = set().union(*all_gather_object(here))
    waiting: dict[str, Tensor] = {}
    for name in filter(anywhere.__contains__, parameters):
        parameter = parameters[name]
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        all_reduce(parameter.grad, "mean")
        waiting[name] = parameter.grad.cpu()
    return waiting


def go_on_accumulating(
    runner: Runner, gradients: Mapping[str, Tensor] | None, before: TrainingPosition | None, now: TrainingPosition
) -> None:
    """Goes on in the middle of updates; one that is to follow from other batches than it began with begins anew.

    Args:
        runner: Of the training.
        gradients: As :func:`waiting_gradients` gave them.
        before: At the checkpoint, if known.
        now: Of this run.
    """
    changed = {name for name, _ in _parts(runner) if before and not _same(name, before, now)}
    for name, part in _parts(runner):
        if before and name in before.parts and name not in changed:
            part._inner_count = before.parts[name][1]
    parameters = dict(unwrapped(runner.model).named_parameters())
    stale = {id(parameter) for name, part in _parts(runner) if name in changed for parameter in _parameters(part)}
    dropped = False
    for name in filter(parameters.__contains__, gradients or ()):
        parameter, gradient = parameters[name], gradients[name]
        if id(parameter) in stale:
            dropped = True
        else:
            parameter.grad = gradient.to(parameter.device, parameter.dtype, copy=True)
    if dropped:
        runner.logger.warning(
            f"resumed in the middle of an update with other batches, {before.words()} at the checkpoint, {now.words()} "
            "now: what had been accumulated for it is dropped"
        )


def _same(part: str, before: TrainingPosition, now: TrainingPosition) -> bool:
    same_parts = (part in before.parts) == (part in now.parts)
    same_step = before.step_samples == now.step_samples
    return same_parts and same_step and before.update_samples_of(part) == now.update_samples_of(part)


def _parts(runner: Runner) -> list[tuple[str, OptimWrapper]]:
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, OptimWrapperDict):
        return [*wrapper.items()]
    return [("", wrapper)] if isinstance(wrapper, OptimWrapper) else []


def _parameters(part: OptimWrapper) -> Iterator[Tensor]:
    return (parameter for group in part.optimizer.param_groups for parameter in group["params"])
