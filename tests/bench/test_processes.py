"""A job in a process of its own."""

from __future__ import annotations

import pytest

from hrnet_plugin.bench.processes import read_outcome, run_process
from hrnet_plugin.bench.subjects import Job, Network, Subject
from hrnet_plugin.errors import LaunchError, MissingDependency


def test_a_fresh_process_measures(tiny_config, tmp_path):
    network = Network(str(tiny_config), size=(64, 64))
    found = run_process(Job("times", (Subject("ours", network),), str(tmp_path), turns=2, threads=1))
    assert found.differences == {"ours": 0}
    assert len(found.times["ours"]) == 2
    assert min(found.times["ours"]) > 0


def test_a_mistake_in_the_input_is_the_same_mistake_here():
    told = {"kind": "MissingDependency", "what": "ncnn", "found": "not installed", "expected": None, "do": "Install it"}
    with pytest.raises(MissingDependency, match=r"^ncnn: found not installed\. Install it$"):
        read_outcome({"error": told})


def test_a_process_that_dies_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(LaunchError, match=r"a process of the benchmark \(ours\): found exit status 1") as error:
        run_process(Job("times", (Subject("ours", Network("absent.py")),), str(tmp_path)))
    assert "worker.log" in str(error.value)
