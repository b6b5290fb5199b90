"""A progress bar with the time left for tests, whose log lines come seldom."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from hrnet_plugin.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Counts the batches of a test on stderr, from the first rank; silent where that is no terminal."""

    _bar: tqdm | None = None

    @master_only
    def before_test_epoch(self, runner: Runner) -> None:
        """Starts the bar."""
        self._bar = tqdm(total=len(runner.test_dataloader), desc="testing", unit="batch", disable=None)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: Sequence | None = None
    ) -> None:
        """Moves it by a batch."""
        if self._bar is not None:
            self._bar.update()

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Ends it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
