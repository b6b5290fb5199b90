"""A test whose network is computed by a runtime."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from ..engine.checkpoint_fit import unwrapped
from .in_framework import can_run_through, run_through, starter
from .runtimes.base import Runtime, set_torch_threads

#: In the place of a runtime's name: the framework's own modules, as they were trained.
FRAMEWORK = "framework"


class RuntimeHook(Hook):
    """Puts a runtime into the model once its weights are loaded, and measures the images a second.

    Args:
        name: Of the runtime; `FRAMEWORK` leaves the model as it is and only measures.
        precision: `fp32`, `bf16` or `int8`.
        threads: Of the CPU; None leaves the choice to the runtime.
        calibration: Called for the images of `int8`.
        required: A model that cannot go through a runtime is an error; otherwise it stays as it is.
        notices: Is told where the model stayed as it is, though a runtime was named.
        opened: A runtime of an exported file, in the place of one that is started for the network.
        check: Is given the model before that runtime takes its place.
    """

    #: After the weights have been looked at, before anything is computed.
    priority = "VERY_LOW"

    def __init__(
        self,
        name: str,
        precision: str = "fp32",
        threads: int | None = None,
        calibration: Callable[[], Iterable[Tensor]] | None = None,
        required: bool = True,
        notices: list[str] | None = None,
        opened: Runtime | None = None,
        check: Callable[[nn.Module], None] = lambda model: None,
    ):
        self.name, self.precision, self.threads = name, precision, threads
        self.calibration, self.required, self.notices = calibration, required, [] if notices is None else notices
        self.opened, self.check = opened, check
        self._images = 0
        self._seconds = 0.0
        self._started = 0.0

    def before_test(self, runner: Runner) -> None:
        """Exchanges the network.

        Raises:
            ConfigError: a model that cannot go through a runtime, where that is required.
            CheckpointError: an exported file that holds another network.
        """
        if self.name == FRAMEWORK:
            set_torch_threads(self.threads)
            return
        model = unwrapped(runner.model)
        if not self.required and not can_run_through(model):
            kind = type(model).__name__
            self.notices.append(f"runtime {self.name} cannot compute a {kind}: the framework's own modules did")
            self.name = FRAMEWORK
            set_torch_threads(self.threads)
            return
        if self.opened is not None:
            self.check(model)
            run_through(model, lambda network, size: self.opened)
            return
        images = self.calibration() if self.precision == "int8" and self.calibration else None
        run_through(model, starter(self.name, self.precision, self.threads, images))

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Stops it; the first batch, in which a runtime is compiled, does not count."""
        if batch_idx:
            self._seconds += time.perf_counter() - self._started
            self._images += len(outputs or ())

    def summary(self) -> str:
        """Runtime, precision and images a second, in a few words."""
        rate = f", {self._images / self._seconds:.1f} images/s" if self._seconds and self._images else ""
        return f"{self.name} {self.precision}{rate}"
