"""The machine is stated."""

from __future__ import annotations

from importlib.metadata import version

from hrnet_plugin.bench.machine import describe_machine


def test_this_machine():
    machine = describe_machine()
    assert machine.cpu
    assert machine.cores >= 1
    assert machine.memory > 2**28
    assert machine.packages["torch"] == version("torch")
    assert machine.packages["mmpose"] == version("mmpose")
    assert "Python 3" in machine.system
    assert machine.device == ""
