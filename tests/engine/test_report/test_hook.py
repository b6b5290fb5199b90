"""Each sample is counted once, whatever a sampler repeats on the ranks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hrnet_plugin.engine.test_report import ReportHook, collector_of
from hrnet_plugin.engine.test_report import hook as module
from hrnet_plugin.engine.test_report.collector import Findings


class Counting:
    """Keeps the samples themselves."""

    def __init__(self):
        self.seen, self.joined = [], None

    def watch(self, evaluator, merged):
        self.merged = merged

    def add(self, sample):
        self.seen.append(sample)

    def state(self):
        return self.seen

    def join(self, states):
        self.joined = [sample for state in states for sample in state]

    def findings(self, metainfo, metrics):
        return Findings(None, ["nothing"], data=f"{len(self.joined)} samples of {metainfo['name']}")


def runner_of(size: int) -> SimpleNamespace:
    dataset = type("Data", (), {"__len__": lambda self: size, "metainfo": {"name": "x"}})()
    evaluator = SimpleNamespace(metrics=[SimpleNamespace(collect_device="cpu")])
    loop, loader = SimpleNamespace(evaluator=evaluator), SimpleNamespace(dataset=dataset)
    return SimpleNamespace(test_dataloader=loader, test_loop=loop, model=None)


@pytest.mark.parametrize(("size", "ranks"), [(7, 1), (7, 2), (7, 3), (8, 4), (2, 3)])
def test_samples_that_fill_up_ranks_do_not_count(size, ranks, monkeypatch):
    from mmengine.dataset import DefaultSampler

    counted = []
    for rank in range(ranks):
        monkeypatch.setattr(module, "get_dist_info", lambda rank=rank: (rank, ranks))
        monkeypatch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, ranks))
        hook, runner = ReportHook(Counting()), runner_of(size)
        chosen = list(DefaultSampler(range(size), shuffle=False))
        for start in range(0, len(chosen), 2):
            hook.after_test_iter(runner, start, None, chosen[start : start + 2])
        counted += hook.collector.seen
    assert sorted(counted) == list(range(size))


def test_the_first_rank_joins_and_reports():
    hook, runner = ReportHook(Counting()), runner_of(3)
    hook.before_test(runner)
    hook.after_test_iter(runner, 0, None, ["a", "b"])
    hook.after_test_iter(runner, 1, None, None)
    hook.after_test_epoch(runner, {})
    report = hook.report(runner, "Title", {"config": "c"}, {"AP": 0.5})
    assert hook.collector.merged is False
    assert report.about == {"config": "c", "data": "2 samples of x"}
    assert report.missing == ["nothing"]


def test_other_ranks_join_nothing(monkeypatch):
    monkeypatch.setattr(module, "collect_results", lambda *arguments: None)
    hook, runner = ReportHook(Counting()), runner_of(3)
    hook.after_test_epoch(runner, {})
    assert hook.collector.joined is None


def test_each_task_has_its_own():
    kinds = [type(collector_of(task)).__name__ for task in ("pose", "segmentation", "classification")]
    assert kinds == ["PoseCollector", "MaskCollector", "LabelCollector"]
