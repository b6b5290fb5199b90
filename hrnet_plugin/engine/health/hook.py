"""The hook that watches over a training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from mmengine.dist import all_gather_object, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import HOOKS

from ..checkpoint_fit import unwrapped
from .alarms import Alarms
from .check import scales
from .evidence import write_evidence
from .fault import GRADIENT, Fault
from .guard import Guard, replace
from .replay import run_again
from .vitals import Vitals, scalars

STOP, SKIP = "stop", "skip"
#: Of how many faults batch and weights are written where training goes on: they are as large as checkpoints.
_WRITTEN_WHOLE = 3


@HOOKS.register_module()
class TrainingHealthHook(Hook):
    """Catches what is not finite before the optimizer steps, names where it began, and measures how a training is.

    Between the backward pass and the step, loss and gradients are looked at, on all ranks together. Where they hold NaN
    or infinity, running statistics, gradients and random streams are put back to what they were before that batch; the
    batch is run again to name the first module and the images; batch, weights and a report go to
    `work_dir/health/iter_N`; and the run stops, or goes on as if the batch had not been there.

    Every `interval` iterations, gradients, activations and batch norms of each part of the network go to the visualizer
    as `train/health/...`. What vanishes or explodes is told in the log, once.

    Args:
        interval: Iterations between two measurements.
        on_fault: `stop` or `skip`.
        most_skips: With `skip`, how many batches in a row are skipped before the run stops: one may be a broken image,
            many are a network that has diverged.
        by_branch: Measure the branches of each stage, and their fusion, apart.

    Raises:
        ConfigError: a value that makes no sense.
    """

    # Before a step, the last word of all hooks.
    priority = "LOWEST"

    def __init__(self, interval: int = 50, on_fault: str = STOP, most_skips: int = 10, by_branch: bool = False):
        if on_fault not in (STOP, SKIP):
            raise ConfigError("TrainingHealthHook", found=f"on_fault={on_fault!r}", expected=f"'{STOP}' or '{SKIP}'")
        for name, value in (("interval", interval), ("most_skips", most_skips)):
            if type(value) is not int or value < 1:
                expected = "a whole number of at least 1"
                raise ConfigError("TrainingHealthHook", found=f"{name}={value!r}", expected=expected)
        self.interval, self.on_fault, self.most_skips, self.by_branch = interval, on_fault, most_skips, by_branch
        self.skipped = self._in_a_row = 0
        self._due = False
        self._undo: Callable[[], None] = lambda: None

    def before_train(self, runner: Runner) -> None:
        """Gets to know network and optimizer.

        Raises:
            ConfigError: several optimizers, a training step that is compiled as a whole, a model of another kind.
        """
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapper):
            found = f"several optimizers ({type(wrapper).__name__})"
            raise ConfigError("TrainingHealthHook", found=found, expected="one for the whole network")
        if runner.cfg.get("compile"):
            found, do = "compile in the config, which hides the training step", "Compile the backbone with --compile"
            raise ConfigError("TrainingHealthHook", found=found, do=do)
        self._network = unwrapped(runner.model)
        if not isinstance(self._network, BaseModel):
            found = f"a model of type {type(self._network).__name__}"
            raise ConfigError("TrainingHealthHook", found=found, expected="mmengine's BaseModel, or one of its heirs")
        self._guard = Guard(self._network, wrapper)
        self._vitals, self._alarms = Vitals(self._network, self.by_branch), Alarms()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Takes the coming call of `train_step`, and that one alone."""
        self._undo()
        step = runner.model.train_step

        def watched(data: object, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
            self._undo()
            return self._step(runner, lambda: step(data, optim_wrapper=optim_wrapper))

        self._undo = replace(runner.model, "train_step", watched)

    def after_train(self, runner: Runner) -> None:
        """Says how many batches were skipped."""
        if self.skipped:
            folder = Path(runner.work_dir, "health")
            batches = "a batch was" if self.skipped == 1 else f"{self.skipped} batches were"
            runner.logger.warning(f"health: {batches} skipped, see the reports in {folder}")

    def _step(self, runner: Runner, step: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """One step; returns what is logged of it: nothing for a batch that was undone."""
        self._due |= self.every_n_train_iters(runner, self.interval)
        due = self._due and runner.optim_wrapper.should_sync()  # gradients are whole when the optimizer steps
        samples = due and is_main_process()
        logged = self._guard.run(
            step,
            meet=lambda kind: self._meet(runner, kind),
            sound=lambda: self._measure(runner, samples) if due else None,
            forward=self._vitals.watching_outputs() if samples else nullcontext(),
        )
        if logged is None:
            return {}
        self._in_a_row = 0
        return logged

    def _measure(self, runner: Runner, samples: bool) -> None:
        """Measures on the rank that `samples`; the others wait for the same iterations."""
        self._due = False
        if not samples:
            return
        wrapper = runner.optim_wrapper
        scale = wrapper.loss_scaler.get_scale() if scales(wrapper) else 1.0
        measured = self._vitals.measure(self._guard.before.buffers_before(), scale)
        rate = float(wrapper.get_lr()["lr"][0])
        runner.visualizer.add_scalars({**scalars(measured), "train/health/lr": rate}, step=runner.iter + 1)
        for warning in self._alarms.look(measured, runner.iter + 1):
            runner.logger.warning(f"health, iteration {runner.iter + 1}: {warning}")

    def _meet(self, runner: Runner, kind: str) -> None:
        """Names what was wrong with a batch that has been undone, and writes it down.

        Raises:
            TrainingFault: where the run stops.
        """
        guard = self._guard
        own = run_again(self._network, guard.batch, runner.optim_wrapper, guard.before, backward=kind == GRADIENT)
        self.skipped, self._in_a_row = self.skipped + 1, self._in_a_row + 1
        stops = self.on_fault == STOP or self._in_a_row > self.most_skips
        fault = Fault(kind, runner.iter + 1, runner.epoch + 1, tuple(all_gather_object(own)), self._remark())
        folder = Path(runner.work_dir, "health", f"iter_{fault.iteration}")
        action = "The run stopped here." if stops else "The batch was skipped, and the run went on."
        whole = stops or self.skipped <= _WRITTEN_WHOLE
        unwritten = write_evidence(folder, fault, action, self._network, guard.batch, own, whole)
        barrier()  # a rank that stops takes the others with it, and they may still be writing
        if stops:
            raise fault.error(folder, unwritten, skips=self.on_fault == SKIP)
        told = f"health, iteration {fault.iteration}: batch skipped, {fault.found()}"
        runner.logger.warning(f"{told}; {unwritten or f'see {folder}'}")

    def _remark(self) -> str:
        if self._in_a_row > self.most_skips:
            return f"{self._in_a_row} batches in a row"
        check = self._guard.check
        return f"{check.overflows} steps in a row that the loss scaler skipped" if check.overflowing else ""
