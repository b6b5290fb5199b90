"""mmengine's training loops, which can go on from any step as if they had never stopped.

mmengine 0.10.7 repeats the begun epoch from its first batch (by epochs), or loads all that was seen once more (by
iterations), and leaves out the validation that was due when a checkpoint was written.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import torch
from mmengine.dist import get_rank
from mmengine.hooks import EMAHook
from mmengine.runner import EpochBasedTrainLoop as EngineEpochBasedTrainLoop
from mmengine.runner import IterBasedTrainLoop as EngineIterBasedTrainLoop
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmengine.runner.utils import calc_dynamic_intervals
from torch import nn
from torch.utils.data import DataLoader

from hrnet_plugin.checkpoints.random_streams import capture_random_streams, restore_random_streams
from hrnet_plugin.registry import LOOPS

from .batch_change import REFUSE, check_choice, settle_batch_change
from .batches import ResumableBatches
from .common_start import check_common_start
from .position import TrainingPosition
from .sample_randomness import SeededItems


class ResumableLoop:
    """What both loops share: where a training stands, and how it goes on from there."""

    def _make_resumable(self, on_batch_change: str) -> None:
        check_choice(on_batch_change)
        self.on_batch_change = on_batch_change
        self.batches = ResumableBatches.of(self.dataloader)
        self._built_with_seed = self.runner.seed
        #: As the config describes them: mmengine builds them after the loop.
        self.described_schedules = copy.deepcopy(self.runner.param_schedulers)
        self._restored: TrainingPosition | None = None
        self._streams: list[dict] | None = None
        #: The iteration after which the validation that was due is done, or about to be.
        self.validated_at: int | None = None

    def resume_from(self, position: TrainingPosition | None, streams: list[dict] | None) -> None:
        """Has the training go on from a checkpoint; to be called by a hook's `hand_over`, before all hooks.

        Args:
            position: None for a checkpoint that mmengine wrote.
            streams: The random streams of each process, if known.
        """
        self._restored, self._streams = position, streams

    def position(self, iteration: int, epoch: int) -> TrainingPosition:
        """Where the training stands.

        Args:
            iteration, epoch: As the checkpoint's meta counts them: those that are done.
        """
        return TrainingPosition(
            batches=self._batches_done(iteration, epoch),
            validated=self.validated_at == iteration,
            world_size=self.runner.world_size,
            batch_size=self.batches.batch_size,
            accumulative_counts=getattr(self.runner.optim_wrapper, "_accumulative_counts", 1),
            dataset_size=len(self.dataloader.dataset),
        )

    def run(self) -> nn.Module:
        """Trains; returns the model.

        Raises:
            CheckpointError: the processes do not begin from one state.
        """
        check_common_start(self.runner)
        try:
            return self._run()
        finally:
            loop = self.runner.val_loop
            for loader in (self.dataloader, *([loop.dataloader] if loop is not None else [])):
                _end_workers(loader)

    def _prepare(self) -> int:
        """Lets samples follow from the seed, and takes what a checkpoint has restored.

        Returns:
            The batches to skip.
        """
        seed = self.runner.seed  # a resumed run takes that of the checkpoint, after the loader has been built
        if getattr(self.batches.sampler, "seed", seed) == self._built_with_seed:
            self.batches.sampler.seed = seed
        SeededItems.put_into(self.dataloader.dataset, seed)
        # A loader draws the seed of its workers from the stream of the process when it starts them: at a resume anew.
        self.dataloader.generator = torch.Generator().manual_seed(seed)
        if self.runner.val_loop is not None:
            self.runner.val_loop.dataloader.generator = torch.Generator().manual_seed(seed)
        for hook in self.runner.hooks if self._iter else ():  # 0 where a checkpoint is a starting point (load_from)
            if hasattr(hook, "hand_over"):
                hook.hand_over(self.runner)
        before = self._restored
        if before is None:
            return self._batches_done(self._iter, self._epoch)
        now = self.position(self._iter, self._epoch)
        if before.validated:
            self.validated_at = self._iter
        if before.dataset_size != now.dataset_size:
            self.runner.logger.warning(
                f"resumed on {now.dataset_size} samples from a checkpoint of a training on {before.dataset_size}: "
                "the pass over the data begins anew"
            )
            return 0
        seen = before.batches * before.step_samples // now.step_samples
        settle_batch_change(self, before, now, seen)
        return seen

    def _restore_streams(self) -> None:
        streams, self._streams = self._streams, None
        if not streams:
            return
        if len(streams) != self.runner.world_size:
            self.runner.logger.warning(
                f"resumed with {self.runner.world_size} processes from a checkpoint of {len(streams)}: "
                "the random streams of the network (dropout) start anew from the seed"
            )
            return
        restore_random_streams(streams[get_rank()])

    def _validate_if_due(self, steps: int) -> None:
        """Validates after so many epochs or iterations, unless a checkpoint says that it has been done."""
        is_last = steps == (self._max_epochs if self.counts_epochs else self._max_iters)
        due = steps >= self.val_begin and (steps % self.val_interval == 0 or is_last)
        if self.runner.val_loop is None or not due or self.validated_at == self._iter:
            return
        self._before_validation = self.validated_at, capture_random_streams()
        self.validated_at = self._iter
        self.runner.val_loop.run()

    def leave_validation(self) -> None:
        """Makes a validation that is left in its middle one that has not begun."""
        for hook in self.runner.hooks:
            if isinstance(hook, EMAHook):
                hook.after_val_epoch(self.runner)  # the weights of the training take their place again
        self.validated_at, streams = self._before_validation
        restore_random_streams(streams)


def _end_workers(loader: DataLoader) -> None:
    """Ends the workers of a loader that keeps them.

    A loader that is left to the garbage collector cannot tell them any more, and waits five seconds for each.
    """
    iterator = getattr(loader, "_iterator", None)
    if iterator is not None and hasattr(iterator, "_shutdown_workers"):
        loader._iterator = None
        iterator._shutdown_workers()


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
        self._first = 0

    def _run(self) -> nn.Module:
        self._first = self._prepare()
        self.runner.call_hook("before_train")
        self._restore_streams()
        if self._epoch and not self._first:
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
        self.batches.skip(self._first)
        for index, batch in enumerate(self.dataloader, self._first):
            self.run_iter(index, batch)
        self._first = 0
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _validate(self) -> None:
        self._decide_current_val_interval()
        self._validate_if_due(self._epoch)

    def _batches_done(self, iteration: int, epoch: int) -> int:
        return min(max(iteration - epoch * len(self.dataloader), 0), len(self.dataloader))

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
        ConfigError: as :class:`EpochBasedTrainLoop` does.
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
        # mmengine's constructor would start to load before it is known what is to be skipped.
        BaseLoop.__init__(self, runner, dataloader)
        self._max_iters, self._max_epochs = max_iters, 1
        self._epoch = self._iter = 0
        self.val_begin, self.val_interval = val_begin, val_interval
        self.stop_training = False
        self.runner.visualizer.dataset_meta = getattr(self.dataloader.dataset, "metainfo", None)
        self.dynamic_milestones, self.dynamic_intervals = calc_dynamic_intervals(val_interval, dynamic_intervals)
        self._make_resumable(on_batch_change)

    def _run(self) -> nn.Module:
        skipped = self._prepare()
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self._restore_streams()
        self.dataloader_iterator = self._endless(skipped)
        if self._iter:
            self._validate()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._validate()
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def _endless(self, skipped: int) -> Iterator:
        """All batches behind those that are skipped, pass after pass."""
        for passes in itertools.count():
            self.batches.start_pass(passes)
            skipped -= self.batches.skip(skipped)
            if not skipped:
                yield from self.dataloader

    def _validate(self) -> None:
        self._decide_current_val_interval()
        self._validate_if_due(self._iter)

    def _batches_done(self, iteration: int, epoch: int) -> int:
        return iteration

    def move_to(self, batches: int) -> None:
        """Iterations are what such a training is counted in, with whatever batches."""
