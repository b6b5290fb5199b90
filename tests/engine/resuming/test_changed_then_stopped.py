"""A training that went on with other batches or data is stopped once more: what follows is as without that stop."""

from __future__ import annotations

import pytest

KEEP = {"batch": 6, "on_batch_change": "keep"}
ENDLESS = {"sampler": "InfiniteSampler"}
#: Kind of loop, options of all runs, those of the later ones, first and second stop, iterations at the end.
CASES = {
    "batch, iterations": ("iterations", {}, KEEP, 4, 10, 18),
    "batch, endless": ("iterations", ENDLESS, KEEP, 4, 10, 18),
    "batch, epochs": ("epochs", {}, KEEP, 10, 7, 9),
    "data, iterations": ("iterations", {}, {"data": 20}, 4, 10, 18),
    "data, epochs": ("epochs", {}, {"data": 20}, 4, 13, 4 + 3 * 7),
    "data, accumulated": ("epochs", {"wrapper": {"accumulative_counts": 4}}, {"data": 24}, 4, 15, 4 + 3 * 8),
    "data, at the end of an epoch": ("epochs", {}, {"data": 20}, 6, 9, 6 + 2 * 7),
    "data and batch": ("epochs", {}, {**KEEP, "data": 20}, 10, 6, 3 * 4),
}


@pytest.mark.parametrize("case", CASES)
def test_stop_once_more(small, tmp_path, case):
    kind, options, later, first_stop, second_stop, end = CASES[case]
    length = later.get("data", small.LENGTH)
    later = {**options, **{name: value for name, value in later.items() if name != "data"}}
    for folder in (tmp_path / "once", tmp_path / "twice"):
        small.run(folder, kind, hooks=[small.StopAfter(first_stop)], save=small.saved_at(first_stop), **options)

    def go_on(name: str, saved_at: int, *hooks):
        data, save = small.Augmented(length), small.saved_at(saved_at)
        return small.run(tmp_path / name, kind, resume=True, dataset=data, hooks=hooks, save=save, **later)

    once = go_on("once", end)
    second, third = go_on("twice", second_stop, small.StopAfter(second_stop)), go_on("twice", end)
    assert third.iter == once.iter == once.max_iters == third.max_iters == end
    assert min(third.losses) == second_stop
    assert {**second.losses, **third.losses} == once.losses
    assert [*second.asked, *third.asked] == once.asked
    assert small.differences(small.state(tmp_path / "once"), small.state(tmp_path / "twice")) == []
