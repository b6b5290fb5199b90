"""A training that is asked to make room saves what it has done and ends, so that it can go on later."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import FrameType

import torch
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import distributed as dist

from hrnet_plugin.errors import Preempted
from hrnet_plugin.registry import HOOKS

from .loader_signals import leave_signals_to_training
from .resuming.loops import ResumableLoop
from .saving import CheckpointHook

#: What Slurm (`--signal`, preemption), torchrun and most other schedulers send before they kill.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
#: Seconds within which the same signal is taken for an echo.
_ECHO = 5


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Saves a checkpoint at the end of the next step after SIGTERM or SIGUSR1, and ends the training.

    One process that gets the signal is enough: whether any did is agreed among all behind each step, so that all end at
    the same one. What agrees is a reduction of one number on the CPU, begun behind a step and looked at behind the
    next, so that no step waits for it. A validation is left in the same way; it is done anew when training goes on.

    The same signal once more ends the process at once; not within five seconds, in which several senders (Slurm, srun,
    torchrun, a parent that ends thread by thread) may mean the same.

    Raises:
        Preempted: with exit status 75, from the step at which it ends.
    """

    # Behind the checkpoint hook.
    priority = "LOWEST"

    def __init__(self) -> None:
        self._signal, self._asked_at = 0, 0.0
        self._agreement: _Agreement | None = None
        self._before: dict[int, Callable | int | None] = {}

    def before_train(self, runner: Runner) -> None:
        """Listens for the signals, where this is the main thread."""
        self._agreement = _Agreement(_seconds_of_silence(runner))
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
            for loop in (runner.train_loop, runner.val_loop):
                leave_signals_to_training(getattr(loop, "dataloader", None), SIGNALS)

    def after_train(self, runner: Runner) -> None:
        """Listens no longer."""
        self._agreement.end()
        self._put_back()

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        """Ends the training where any process was asked to."""
        if self._agreement.reached(bool(self._signal)):
            self._leave(runner, runner.iter + 1)

    def after_val_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        """Ends the training in the middle of a validation."""
        if not isinstance(runner.train_loop, ResumableLoop):
            return
        loader = runner.val_dataloader
        # Processes may have one batch more or fewer; they have to agree on the same ones.
        common = len(loader.dataset) // (loader.batch_sampler.batch_size * runner.world_size)
        if batch_idx < common and self._agreement.reached(bool(self._signal)):
            runner.train_loop.leave_validation()
            self._leave(runner, runner.iter)

    def _leave(self, runner: Runner, done: int) -> None:
        try:
            saved = self._save(runner, done)
            self._agreement.end()
        finally:
            self._put_back()  # not before: an echo would end the process while it writes
        asked = signal.Signals(self._signal).name if self._signal else "another process was asked"
        what = f"training was asked to make room ({asked}) after iteration {done}"
        raise Preempted(f"{what}; {saved}", do="Go on with --resume")

    def _save(self, runner: Runner, done: int) -> str:
        hook = next((hook for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)
        if hook is None:
            return "nothing could be saved: default_hooks.checkpoint is not hrnet_plugin.CheckpointHook"
        path = hook.save_now(runner, done)
        return f"{path} is written" if path else "the disk is full, and the checkpoint before it still stands"

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signal != number:
            self._signal, self._asked_at = number, time.monotonic()
        elif time.monotonic() - self._asked_at > _ECHO:
            self._put_back()
            os.kill(os.getpid(), number)

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            with suppress(ValueError):  # not the main thread
                signal.signal(number, handler)
        self._before = {}


def _seconds_of_silence(runner: Runner) -> float | None:
    """After which a process that does not answer is taken as gone, where the config says it."""
    return runner.cfg.get("env_cfg", {}).get("dist_cfg", {}).get("timeout")


class _Agreement:
    """Whether any process wants something, known to all at the same call, one call later.

    Args:
        timeout: Seconds after which a process that does not answer is taken as gone; None for torch's.
    """

    def __init__(self, timeout: float | None = None):
        self._several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        # Of its own, and on the CPU, so that it never waits for gradients, nor a GPU for it.
        limit = None if timeout is None else timedelta(seconds=timeout)
        self._group = dist.new_group(backend="gloo", timeout=limit) if self._several else None
        self._flag: torch.Tensor | None = None
        self._work: dist.Work | None = None

    def reached(self, wanted: bool) -> bool:
        """To be called by all processes equally often."""
        if not self._several:
            return wanted
        before = self._flag is not None and self._result()
        self._flag = torch.tensor([int(wanted)])
        self._work = dist.all_reduce(self._flag, dist.ReduceOp.MAX, group=self._group, async_op=True)
        return before

    def end(self) -> None:
        """Waits for the last, and elsewhere until the first process has called this; to be called by all."""
        if self._work is not None:
            self._result()
            self._work = self._flag = None
        if self._several:
            # It writes: what is left half a minute after another has ended, torchrun kills, and Slurm after five.
            broadcast_object_list([None])  # which waits with patience (`compat.patient_broadcast`)

    def _result(self) -> bool:
        self._work.wait()
        return bool(self._flag)
