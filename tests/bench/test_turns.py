"""Turns: who is called when."""

from __future__ import annotations

from hrnet_plugin.bench.turns import CallTimer, alternate


def test_each_is_called_untimed_and_then_timed_and_the_first_moves_on():
    called: list[str] = []
    timers = {name: CallTimer(lambda name=name: called.append(name)) for name in "abc"}
    times = alternate(timers, 3, first=1)
    assert "".join(called) == "bbccaa" + "ccaabb" + "aabbcc"
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3, "c": 3}
    assert all(value >= 0 for values in times.values() for value in values)


def test_without_the_untimed_call():
    called: list[str] = []
    timers = {name: CallTimer(lambda name=name: called.append(name)) for name in "ab"}
    alternate(timers, 2, settle=False)
    assert "".join(called) == "ab" + "ba"
