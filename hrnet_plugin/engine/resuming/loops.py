"""mmengine's training loops, which can go on from any step as if they had never stopped.

mmengine 0.10.7 repeats the begun epoch from its first batch (by epochs), or loads all that was seen once more (by
iterations), and leaves out the validation that was due when a checkpoint was written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from mmengine.runner import EpochBasedTrainLoop as EngineEpochBasedTrainLoop
from mmengine.runner import IterBasedTrainLoop as EngineIterBasedTrainLoop
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmengine.runner.utils import calc_dynamic_intervals
from torch import nn
from torch.utils.data import DataLoader

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import LOOPS

from .batch_change import REFUSE
from .resumable import ResumableLoop

__all__ = ["EpochBasedTrainLoop", "IterBasedTrainLoop", "ResumableLoop"]


@LOOPS.register_module()
class EpochBasedTrainLoop(ResumableLoop, EngineEpochBasedTrainLoop):
    """Trains by epochs.

    Args:
        runner, dataloader, max_epochs, val_begin, val_interval, dynamic_intervals: As mmengine's loop takes them.
        on_batch_change: What to do when a training is resumed with another number of samples an update: `refuse`,
            `rescale` (the learning rate, in proportion) or `keep` (it as it is).

    Raises:
        ConfigError: `on_batch_change` is none of these; or the batch has changed and it is `refuse`.
    """

    counts_epochs = True

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, *args, on_batch_change: str = REFUSE, **kwargs):
        super().__init__(runner, dataloader, *args, **kwargs)
        self._make_resumable(on_batch_change)

    def _run(self) -> nn.Module:
        self._prepare()
        self.runner.call_hook("before_train")
        self._restore_streams()
        if self._epoch and not self._seen:
            self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Trains for one epoch, or for the rest of one that a checkpoint is in the middle of."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        self.batches.start_pass(self._epoch)
        self.batches.skip(self._seen)
        for index, batch in enumerate(self.dataloader, self._seen):
            self.run_iter(index, batch)
            self._seen += 1
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
        self._seen = 0

    def _validate(self) -> None:
        self._decide_current_val_interval()
        self._validate_if_due(self._epoch)

    def move_to(self, batches: int) -> None:
        """Counts iterations as if all of the training had been with the batches of today."""
        self._iter = self._epoch * len(self.dataloader) + batches


@LOOPS.register_module()
class IterBasedTrainLoop(ResumableLoop, EngineIterBasedTrainLoop):
    """Trains by iterations.

    Args:
        runner, dataloader, max_iters, val_begin, val_interval, dynamic_intervals: As mmengine's loop takes them.
        on_batch_change: As :class:`EpochBasedTrainLoop` takes it.

    Raises:
        ConfigError: as :class:`EpochBasedTrainLoop` does; or `max_iters` is no whole number.
    """

    counts_epochs = False

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        max_iters: int,
        val_begin: int = 1,
        val_interval: int = 1000,
        dynamic_intervals: list[tuple[int, int]] | None = None,
        on_batch_change: str = REFUSE,
    ):
        if max_iters != int(max_iters):
            raise ConfigError("train_cfg.max_iters", found=max_iters, expected="a whole number of iterations")
        # mmengine's constructor would start to load before it is known what is to be skipped.
        BaseLoop.__init__(self, runner, dataloader)
        self._max_iters, self._max_epochs = int(max_iters), 1
        self._epoch = self._iter = 0
        self.val_begin, self.val_interval = val_begin, val_interval
        self.stop_training = False
        self.runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, "metainfo", None)
        self.dynamic_milestones, self.dynamic_intervals = calc_dynamic_intervals(val_interval, dynamic_intervals)
        self._make_resumable(on_batch_change)

    def _run(self) -> nn.Module:
        self._prepare()
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self._restore_streams()
        self.dataloader_iterator = self._endless(self._seen)
        if self._iter:
            self._validate()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._seen += 1
            self._validate()
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def _endless(self, skipped: int) -> Iterator:
        """All batches behind those that are skipped, pass after pass."""
        for passes in itertools.count():
            self.batches.start_pass(passes)
            drawn = self.batches.skip(skipped)
            skipped -= drawn
            for batch in self.dataloader if not skipped else ():
                drawn += 1
                yield batch
            if not drawn:
                raise self._without_batches()

    def _validate(self) -> None:
        self._decide_current_val_interval()
        self._validate_if_due(self._iter)

    def move_to(self, batches: int) -> None:
        """Iterations are what such a training is counted in, with whatever batches."""
