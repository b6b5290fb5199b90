"""What mmengine's training loops lack to go on from any step: where a training stands, and what is skipped."""

from __future__ import annotations

import copy
from numbers import Integral

import torch
from mmengine.dist import get_rank
from mmengine.hooks import EMAHook
from torch import nn
from torch.utils.data import DataLoader

from hrnet_plugin.checkpoints.random_streams import capture_random_streams, restore_random_streams
from hrnet_plugin.errors import DataError

from .accumulation import batches_an_update, counts_by_part
from .batch_change import check_choice, play_schedules, settle_batch_change
from .batches import ResumableBatches
from .common_start import check_common_start
from .early_stopping import count_before_saving
from .position import TrainingPosition
from .sample_randomness import SeededItems


class ResumableLoop:
    """What both loops share: where a training stands, and how it goes on from there."""

    #: Whether passes over the data are counted; otherwise iterations alone are.
    counts_epochs: bool

    def _make_resumable(self, on_batch_change: str) -> None:
        check_choice(on_batch_change)
        self.on_batch_change = on_batch_change
        self.batches = ResumableBatches.of(self.dataloader)
        self._built_with_seed = self.runner.seed
        #: As the config describes them: mmengine builds them after the loop.
        self.described_schedules = copy.deepcopy(self.runner.param_schedulers)
        self._restored: TrainingPosition | None = None
        self._streams: list[dict] | None = None
        #: Batches that are done: of this pass over the data, or of all of a training by iterations.
        self._seen = 0
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
            iteration, epoch: As the checkpoint's meta counts them: those that are done. The loop itself counts a step
                or a pass only behind the hooks that save.
        """
        wrapper = self.runner.optim_wrapper
        seed = getattr(self.batches.sampler, "seed", None)
        return TrainingPosition(
            batches=0 if self.counts_epochs and epoch != self._epoch else self._seen + iteration - self._iter,
            validated=self.validated_at == iteration,
            world_size=self.runner.world_size,
            batch_size=self.batches.batch_size,
            accumulative_counts=batches_an_update(wrapper),
            dataset_size=len(self.dataloader.dataset),
            sampler_seed=int(seed) if isinstance(seed, Integral) else None,
            parts=counts_by_part(wrapper),
        )

    def run(self) -> nn.Module:
        """Trains; returns the model.

        Raises:
            CheckpointError: the processes do not begin from one state.
            DataError: the loader gives no batch.
        """
        check_common_start(self.runner)
        try:
            return self._run()
        finally:
            loop = self.runner.val_loop
            for loader in (self.dataloader, *([loop.dataloader] if loop is not None else [])):
                _end_workers(loader)

    def _prepare(self) -> None:
        """Takes what a checkpoint has restored, and lets samples follow from the seed."""
        if self.counts_epochs and len(self.dataloader) == 0:
            raise self._without_batches()
        count_before_saving(self.runner)
        for hook in self.runner.hooks if self._iter else ():  # 0 where a checkpoint is a starting point (load_from)
            if hasattr(hook, "hand_over"):
                hook.hand_over(self.runner)
        self._take_seeds()
        if self._restored is not None:
            self._go_on_from(self._restored)
        elif self._iter:
            self._go_on_without_position()
        if self.counts_epochs:
            self.batches.redraw(self._epoch, len(self.dataloader))

    def _take_seeds(self) -> None:
        seed = self.runner.seed  # a resumed run takes that of the checkpoint, after the loader has been built
        sampler, known = self.batches.sampler, self._restored.sampler_seed if self._restored else None
        if known is not None and hasattr(sampler, "seed"):
            sampler.seed = known
        elif getattr(sampler, "seed", seed) == self._built_with_seed:
            sampler.seed = seed
        SeededItems.put_into(self.dataloader.dataset, seed)
        # A loader draws the seed of its workers from the stream of the process when it starts them: at a resume anew.
        self.dataloader.generator = torch.Generator().manual_seed(seed)
        if self.runner.val_loop is not None:
            self.runner.val_loop.dataloader.generator = torch.Generator().manual_seed(seed)

    def _go_on_from(self, before: TrainingPosition) -> None:
        now = self.position(self._iter, self._epoch)
        other_data, other_steps = before.dataset_size != now.dataset_size, before.step_samples != now.step_samples
        self._seen = self._todays_batches(before, now)
        settle_batch_change(self, before, now, self._seen)
        if before.validated:
            self.validated_at = self._iter
        if other_data:
            what = "stays done" if self._seen else "begins anew"
            self.runner.logger.warning(
                f"resumed on {now.dataset_size} samples from a checkpoint of a training on {before.dataset_size}: "
                f"the pass over the data {what}"
            )
        self._settle_end(anew=other_data or other_steps)

    def _todays_batches(self, before: TrainingPosition, now: TrainingPosition) -> int:
        """How many batches of today's size and data this pass has seen."""
        if (before.dataset_size, before.step_samples) == (now.dataset_size, now.step_samples):
            return before.batches
        if self.counts_epochs and before.ends_pass:
            return len(self.dataloader)
        if before.dataset_size != now.dataset_size:
            return 0
        seen = before.batches * before.step_samples // now.step_samples
        return min(seen, len(self.dataloader)) if self.counts_epochs else seen

    def _go_on_without_position(self) -> None:
        """From a checkpoint of mmengine's loops, or without our hook: how long epochs were says the message hub."""
        self._seen = self._iter
        if not self.counts_epochs:
            return
        length = len(self.dataloader)
        end, epochs = self._former_end() or (length, 1)
        done = self._iter - self._epoch * (end // epochs)
        if end // epochs == length and 0 <= done <= length:
            self._seen = done
            return
        self._seen = length if done == end // epochs else 0
        self.move_to(self._seen)
        play_schedules(self)
        self._settle_end(anew=True)
        self.runner.logger.warning(
            f"resumed with {length} batches an epoch from a checkpoint of a training with {end // epochs}, which does "
            f"not tell its batches: epoch {self._epoch + 1} {'stays done' if self._seen else 'begins anew'}, and "
            "whether the learning rate fits the batch is not known"
        )

    def _former_end(self) -> tuple[int, int] | None:
        """Iterations and epochs at which the training was to end that wrote the checkpoint, if it says so."""
        known = self.runner.message_hub.runtime_info
        numbers = known.get("max_iters"), known.get("max_epochs")
        return numbers if all(type(number) is int and number > 0 for number in numbers) else None

    def _settle_end(self, anew: bool) -> None:
        """Lets all know at which iteration a training by epochs will end, where other data or batches were in between.

        Args:
            anew: Whether they are other ones since this resume; otherwise the checkpoint knows.
        """
        if not self.counts_epochs:
            return
        length, former = len(self.dataloader), self._former_end()
        if anew:
            self._max_iters = self._iter + (self._max_epochs - self._epoch) * length - self._seen
        elif former is not None:
            self._max_iters = former[0] + (self._max_epochs - former[1]) * length
        if anew or self._max_iters != self._max_epochs * length:
            self.runner.optim_wrapper.initialize_count_status(self.runner.model, self._iter, self._max_iters)

    def _without_batches(self) -> DataError:
        loader = self.dataloader
        return DataError(
            "train_dataloader: no batch in a whole pass over the data",
            found=f"{len(loader.dataset)} samples, {self.batches.batch_size} a batch on each of "
            f"{self.runner.world_size} processes",
            expected="at least one batch",
            do="Set a smaller batch_size, or drop_last=False",
        )

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
