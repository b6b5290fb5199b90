"""What one process does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from hrnet_plugin.bench import measuring
from hrnet_plugin.bench.measuring import perform
from hrnet_plugin.bench.subjects import LIMIT, Job, Network, Subject


@pytest.fixture
def job(tiny_config, tmp_path) -> Job:
    ours = Network(str(tiny_config), size=(64, 64))
    theirs = replace(ours, framework="mmpose")
    subjects = (Subject("mmpose", theirs), Subject("ours", ours, theirs), Subject("limit", theirs, role=LIMIT))
    return Job("prepare", subjects, str(tmp_path), turns=2, threads=1)


def test_networks_are_counted_and_timed(job):
    prepared = perform(job)
    assert prepared.refused == {}
    assert set(prepared.parameters.values()) == {213465}
    assert prepared.macs["ours"] == prepared.macs["mmpose"] > 10**7
    found = perform(replace(job, task="times"))
    assert [len(found.times[name]) for name in ("mmpose", "ours", "limit")] == [2, 2, 1]
    assert all(time > 0 for times in found.times.values() for time in times)
    assert found.differences["mmpose"] == 0
    assert found.differences["ours"] < 1e-5
    assert found.convolution_macs["limit"] == prepared.macs["ours"]


def test_what_computes_something_else_is_not_measured(job, monkeypatch):
    original = measuring.ready

    def wrong(subject, job):
        call = original(subject, job)
        return (lambda: tuple(map(torch.zeros_like, call()))) if subject.name == "ours" else call

    monkeypatch.setattr(measuring, "ready", wrong)
    found = perform(replace(job, task="times"))
    assert set(found.times) == {"mmpose", "limit"}
    assert "outputs of ours: found a relative difference of 1 to" in found.refused["ours"]


def test_parts_and_memory(job):
    found = perform(replace(job, task="parts", subjects=job.subjects[1:2]))
    assert len(found.parts["ours"]) > 10
    found = perform(replace(job, task="memory", subjects=job.subjects[1:2]))
    assert found.memory["ours"] > 2**20
