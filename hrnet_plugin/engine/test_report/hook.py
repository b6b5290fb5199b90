"""Gathers what the page of a test shows, batch by batch and on all ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.dist import collect_results, get_dist_info
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner

from ...reports.test_report.report import Report
from .collector import Collector


class ReportHook(Hook):
    """Looks at every tested sample; numbers are kept, images are not.

    Args:
        collector: Of the config's task.
    """

    #: After the hook that refuses predictions that are no numbers.
    priority = "LOWEST"

    def __init__(self, collector: Collector):
        self.collector = collector
        self._seen = 0

    def before_test(self, runner: Runner) -> None:
        """Looks at the evaluator."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.collector.watch(runner.test_loop.evaluator, merged=isinstance(model, BaseTTAModel))

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: Sequence | None = None
    ) -> None:
        """Hands the samples on, less those by which a sampler makes all ranks equally long."""
        rank, ranks = get_dist_info()
        size = len(runner.test_dataloader.dataset)
        for sample in outputs or ():
            # Ranks take samples in turn, as mmengine's evaluators assume, too.
            if self._seen * ranks + rank < size:
                self.collector.add(sample)
            self._seen += 1

    def after_test_epoch(self, runner: Runner, metrics: Mapping | None = None) -> None:
        """Joins what the ranks have gathered, on the first of them."""
        states = collect_results([self.collector.state()], get_dist_info()[1], _device(runner))
        if states is not None:
            self.collector.join(states)

    def report(self, runner: Runner, title: str, about: Mapping[str, str], metrics: Mapping[str, float]) -> Report:
        """What is to be shown, on the first rank and after the test.

        Args:
            runner: Of the test.
            title: Of the page.
            about: What was tested, by names.
            metrics: As the test gave them.
        """
        metainfo = getattr(runner.test_dataloader.dataset, "metainfo", None) or {}
        found = self.collector.findings(metainfo, metrics)
        about = {**about, **({"data": found.data} if found.data else {})}
        return Report(title, about, metrics, found.task, found.missing, found.examples)


def _device(runner: Runner) -> str:
    """The way on which the evaluator gathers its results."""
    metrics = runner.test_loop.evaluator.metrics
    return metrics[0].collect_device if metrics else "cpu"
