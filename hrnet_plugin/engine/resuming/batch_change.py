"""A training that goes on with other batches than it began with: refused, or its learning rate made to fit."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

from mmengine.optim import OptimWrapperDict
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.runner import Runner

from hrnet_plugin.errors import ConfigError

from .position import TrainingPosition

if TYPE_CHECKING:
    from .loops import ResumableLoop

REFUSE, RESCALE, KEEP = CHOICES = ("refuse", "rescale", "keep")
FLAG = "--on-batch-change"


def check_choice(choice: str) -> None:
    """Checks a value of `on_batch_change`.

    Raises:
        ConfigError: it is none.
    """
    if choice not in CHOICES:
        raise ConfigError("on_batch_change", found=repr(choice), expected=f"one of {', '.join(CHOICES)}")


def settle_batch_change(loop: ResumableLoop, before: TrainingPosition, now: TrainingPosition, batches: int) -> None:
    """Does what was chosen where the batch of an update has changed, and says so.

    Args:
        loop: Its iteration is moved, and its runner's schedules are.
        before: At the checkpoint.
        now: Of this run.
        batches: Of today's size, that this pass over the data has seen.

    Raises:
        ConfigError: the batch has changed and `on_batch_change` is `refuse`, or `rescale` where it cannot be done.
    """
    moved = before.step_samples != now.step_samples
    if moved:
        loop.move_to(batches)
    factor = _factor(before, now)
    sizes = f"{before.words()} at the checkpoint, {now.words()} now"
    if factor == 1:
        told = f"resumed with the same samples an update, {sizes}: the learning rate stays"
    elif loop.on_batch_change == RESCALE:
        told = f"resumed with another batch, {sizes}: the learning rate is multiplied by {factor:g}"
    elif loop.on_batch_change == KEEP:
        told, factor = f"resumed with another batch, {sizes}: the learning rate stays, as {FLAG} {KEEP} says", 1
    else:
        raise ConfigError(
            f"--resume: {before.update_samples} samples an update when the checkpoint was written",
            found=f"{now.update_samples} now ({now.words()})",
            expected=f"{before.update_samples} ({before.words()}), for which the learning rate was chosen",
            do=f"Set processes and batch_size to give it, or choose: {FLAG} {RESCALE} (the learning rate times "
            f"{factor:g}) or {FLAG} {KEEP} (it as it is)",
        )
    if factor != 1 or (loop.counts_epochs and moved):
        play_schedules(loop, factor)
    if before.words() != now.words():
        loop.runner.logger.warning(told)


def _factor(before: TrainingPosition, now: TrainingPosition) -> float:
    """New samples an update over old; of several optimizers that of the first for which it has changed."""
    parts = [part for part in now.parts if part in before.parts] or [""]
    factors = [now.update_samples_of(part) / before.update_samples_of(part) for part in parts]
    return next((factor for factor in factors if factor != 1), 1)


def play_schedules(loop: ResumableLoop, factor: float = 1) -> None:
    """Plays all schedules from the beginning to where the training stands, with the batches of today.

    Most go on from the value of the step before: where an epoch has other numbers of iterations, or the learning rate
    is another, that value has to be what it would have been.

    Args:
        loop: Of the training; its iteration is counted in today's batches.
        factor: By which learning rates begin higher: new batch over old, the linear scaling rule of Goyal et al.,
            "Accurate, Large Minibatch SGD" (2017).

    Raises:
        ConfigError: several optimizers, or a schedule that follows from metrics, where the factor is not 1.
    """
    runner = loop.runner
    unplayable = _unplayable(runner)
    if unplayable and factor != 1:
        raise ConfigError(f"{FLAG} {RESCALE}", found=unplayable, do=f"Take {FLAG} {KEEP}, or the batch of before")
    if unplayable:
        return
    for group in runner.optim_wrapper.param_groups:
        group.update({name.removeprefix("initial_"): group[name] for name in [*group] if name.startswith("initial_")})
        group.update({name: factor * group[name] for name in ("lr", "initial_lr") if name in group})
    if not runner.param_schedulers:
        return
    runner.param_schedulers = runner.build_param_scheduler(copy.deepcopy(loop.described_schedules))
    runner.optim_wrapper._global_step = 0  # else each schedule warns that it steps before the optimizer does
    length, epochs = len(loop.dataloader), loop.epoch if loop.counts_epochs else 0
    # Epochs on another data set had other lengths; as many have ended in any case.
    ended_at = Counter(min(epoch * length, loop.iter) for epoch in range(1, epochs + 1))
    for iteration in range(1, loop.iter + 1):
        for by_epoch in (False, *[True] * ended_at[iteration]):
            for scheduler in runner.param_schedulers:
                if scheduler.by_epoch == by_epoch:
                    scheduler.step()


def _unplayable(runner: Runner) -> str:
    if isinstance(runner.optim_wrapper, OptimWrapperDict) or not hasattr(runner.optim_wrapper, "param_groups"):
        return f"several optimizers ({type(runner.optim_wrapper).__name__})"
    for scheduler in runner.param_schedulers or ():
        if type(scheduler).step is not _ParamScheduler.step:
            return f"{type(scheduler).__name__}, which follows from metrics"
    return ""
