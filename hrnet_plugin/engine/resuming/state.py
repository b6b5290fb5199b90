"""All that a training is beside weights, optimizer and schedules: what a checkpoint needs to go on as if unstopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.runner import Runner
from torch import Tensor

from hrnet_plugin.checkpoints.random_streams import capture_random_streams

from .accumulation import go_on_accumulating, waiting_gradients
from .early_stopping import early_stopping_of, restore_early_stopping
from .position import TrainingPosition

_STREAMS, _POSITION, _GRADIENTS = "random_streams", "training_position", "accumulated_gradients"
_EARLY_STOPPING = "early_stopping"


@dataclass
class TrainingState:
    """What is saved beside what mmengine saves.

    Args:
        streams: The random streams of each process.
        position: Where the training stands; None where mmengine wrote the checkpoint.
        gradients: Those that wait for more batches before an update, by the parameter's name.
        early_stopping: What `EarlyStoppingHook` has seen, where there is one.
    """

    streams: list[dict[str, Any]] | None
    position: TrainingPosition | None = None
    gradients: Mapping[str, Tensor] | None = None
    early_stopping: object = None

    @classmethod
    def of(cls, runner: Runner) -> TrainingState:
        """That of a training between two steps; to be called by all processes together.

        The position follows when the checkpoint knows its iteration.
        """
        return cls(
            all_gather_object(capture_random_streams()),
            gradients=waiting_gradients(runner),
            early_stopping=early_stopping_of(runner),
        )

    def save(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Puts it into a checkpoint."""
        checkpoint[_STREAMS] = self.streams
        if self.gradients:
            checkpoint[_GRADIENTS] = dict(self.gradients)
        if self.early_stopping:
            checkpoint[_EARLY_STOPPING] = self.early_stopping
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
        return cls(checkpoint.get(_STREAMS), known, checkpoint.get(_GRADIENTS), checkpoint.get(_EARLY_STOPPING))

    def hand_over(self, runner: Runner) -> None:
        """Gives it to the training that goes on from it, before it begins.

        Raises:
            CheckpointError: what early stopping has seen is not of the form that is written.
        """
        loop = runner.train_loop
        if self.early_stopping is not None:
            restore_early_stopping(runner, self.early_stopping)
        if hasattr(loop, "resume_from"):
            go_on_accumulating(runner, self.gradients, self.position, loop.position(loop.iter, loop.epoch))
            loop.resume_from(self.position, self.streams)
