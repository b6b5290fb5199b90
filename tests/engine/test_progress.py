"""The bar counts every batch and is silent away from a terminal."""

from __future__ import annotations

from types import SimpleNamespace

from hrnet_plugin.engine import ProgressHook


def test_it_counts_the_batches(monkeypatch):
    from hrnet_plugin.engine import progress

    counted = []

    class Bar:
        """Notes what it is told."""

        def __init__(self, **options):
            counted.append(options["total"])

        def update(self):
            counted.append("batch")

        def close(self):
            counted.append("end")

    monkeypatch.setattr(progress, "tqdm", Bar)
    hook, runner = ProgressHook(), SimpleNamespace(test_dataloader=[1, 2])
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0)
    hook.after_test_iter(runner, 1)
    hook.after_test_epoch(runner, {})
    assert counted == [2, "batch", "batch", "end"]


def test_it_is_silent_away_from_a_terminal(capfd):
    hook, runner = ProgressHook(), SimpleNamespace(test_dataloader=[1])
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0)
    hook.after_test_epoch(runner)
    assert capfd.readouterr() == ("", "")
