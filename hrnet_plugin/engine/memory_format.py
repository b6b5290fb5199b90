"""Channels-last memory: the order of the numbers in memory that convolutions on CPUs and tensor cores like best.

The values of a tensor stay where they are in (N, C, H, W); only their order in memory becomes (N, H, W, C).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keeps the model's weights, and what the optimizer remembers of them, in channels-last order.

    A convolution with such weights gives features in the same order, so that the images need no conversion.
    """

    priority = "ABOVE_NORMAL"  # before hooks that tell the data-parallel wrapper how to send gradients

    def before_train(self, runner: Runner) -> None:
        """Converts the weights and, after a resume, the optimizer's state."""
        runner.model.to(memory_format=torch.channels_last)
        _lay_out_gradients_anew(runner.model)
        for _, optimizer in named_optimizers(runner.optim_wrapper):
            align_state(optimizer)

    def before_val(self, runner: Runner) -> None:
        """Converts the weights."""
        runner.model.to(memory_format=torch.channels_last)

    before_test = before_val


def named_optimizers(wrapper: OptimWrapper | OptimWrapperDict) -> list[tuple[str, torch.optim.Optimizer]]:
    """The optimizers of a training by the names of their parts; '' where there is one alone."""
    parts = wrapper.items() if isinstance(wrapper, OptimWrapperDict) else (("", wrapper),)
    return [(name, part.optimizer) for name, part in parts]


def _lay_out_gradients_anew(model: nn.Module) -> None:
    # torch's data-parallel wrapper packs gradients in the order that weights had when it was made, and unpacks them in
    # the order that they have now: those of the first step would be shuffled, and it warns of performance alone. What
    # it does when it is unpickled makes it look again.
    if isinstance(model, DistributedDataParallel):
        model.__setstate__(model.__getstate__())


def align_state(optimizer: torch.optim.Optimizer) -> None:
    """Gives every tensor of an optimizer's state the memory order of its parameter.

    torch's fused optimizers walk through both by address and do not look at the order: with another one, as a
    checkpoint from before brings it, they would move each weight by the moments of a different one.
    """
    for parameter in _parameters(optimizer):
        state = optimizer.state.get(parameter, {})
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _parameters(optimizer: torch.optim.Optimizer) -> Iterable[torch.nn.Parameter]:
    return (parameter for group in optimizer.param_groups for parameter in group["params"])
