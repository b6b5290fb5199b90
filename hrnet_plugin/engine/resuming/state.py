"""All that a training is beside weights, optimizer and schedules: what a checkpoint needs to go on as if unstopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import all_gather_object, all_reduce
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from hrnet_plugin.checkpoints.random_streams import capture_random_streams

from .position import TrainingPosition

_STREAMS, _POSITION, _GRADIENTS = "random_streams", "training_position", "accumulated_gradients"


@dataclass
class TrainingState:
    """What is saved beside what mmengine saves.

    Args:
        streams: The random streams of each process.
        position: Where the training stands; None where mmengine wrote the checkpoint.
        gradients: Those that wait for more batches before an update, by the parameter's name.
    """

    streams: list[dict[str, Any]] | None
    position: TrainingPosition | None = None
    gradients: Mapping[str, Tensor] | None = None

    @classmethod
    def of(cls, runner: Runner) -> TrainingState:
        """That of a training between two steps; to be called by all processes together.

        The position follows when the checkpoint knows its iteration.
        """
        return cls(all_gather_object(capture_random_streams()), gradients=_waiting_gradients(runner))

    def save(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Puts it into a checkpoint."""
        checkpoint[_STREAMS] = self.streams
        if self.gradients:
            checkpoint[_GRADIENTS] = dict(self.gradients)
        meta, loop = checkpoint["meta"], runner.train_loop
        if hasattr(loop, "position"):
            checkpoint[_POSITION] = loop.position(meta["iter"], meta["epoch"]).to_plain()

    @classmethod
    def read(cls, checkpoint: Mapping[str, Any]) -> TrainingState:
        """What a checkpoint holds of it.

        Raises:
            CheckpointError: the position is not of the form that is written.
        """
        position = checkpoint.get(_POSITION)
        known = TrainingPosition.from_plain(position) if position is not None else None
        return cls(checkpoint.get(_STREAMS), known, checkpoint.get(_GRADIENTS))

    def hand_over(self, runner: Runner) -> None:
        """Gives it to the training that goes on from it, before it begins."""
        for name, parameter in _network(runner).named_parameters() if self.gradients else ():
            gradient = self.gradients.get(name)
            if gradient is not None:
                parameter.grad = gradient.to(parameter.device, parameter.dtype, copy=True)
        if hasattr(runner.train_loop, "resume_from"):
            runner.train_loop.resume_from(self.position, self.streams)


@torch.no_grad()
def _waiting_gradients(runner: Runner) -> dict[str, Tensor] | None:
    """The gradients of an update that more batches are to come to, None between two updates.

    Each process has its own until the update. They are made the same here, which their mean stays the same by: the
    training that goes on has then what the resumed one gets.
    """
    wrapper = runner.optim_wrapper
    if not isinstance(wrapper, OptimWrapper) or wrapper.should_update():
        return None
    waiting = {name: one.grad for name, one in _network(runner).named_parameters() if one.grad is not None}
    for gradient in waiting.values():
        all_reduce(gradient, "mean")
    return {name: gradient.cpu() for name, gradient in waiting.items()}


def _network(runner: Runner) -> torch.nn.Module:
    return getattr(runner.model, "module", runner.model)
