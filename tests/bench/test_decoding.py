"""Heatmaps to keypoints, timed beside mmpose's codecs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrnet_plugin.bench import decoding as room
from hrnet_plugin.bench.measuring import perform
from hrnet_plugin.bench.results import Measured, Run
from hrnet_plugin.bench.subjects import Job
from hrnet_plugin.bench.suite.plans import decoding_run


@pytest.fixture
def job(tmp_path) -> Job:
    subjects = tuple(
        replace(one, network=replace(one.network, batch=2), reference=one.reference and replace(one.reference, batch=2))
        for one in decoding_run().subjects
    )
    return Job("prepare", subjects, str(tmp_path), turns=2, threads=1)


def test_each_way_beside_its_own(job):
    assert perform(job).refused == {}
    found = perform(replace(job, task="times"))
    assert found.refused == {}
    assert [len(found.times[one.name]) for one in job.subjects] == [2] * 6
    assert all(0 <= found.differences[one.name] <= 1e-4 for one in job.subjects)
    measured = tuple(Measured(one, (found.times[one.name],)) for one in job.subjects)
    run = Run("decoding", "decoding", measured, 1, 2, 1)
    assert [run.baseline_of(one).subject.name.partition(" ")[0] for one in measured] == ["mmpose"] * 6
    assert [run.baseline_of(one).subject.name.split()[1] for one in measured] == ["plain"] * 2 + ["DARK"] * 2 + [
        "UDP"
    ] * 2


def test_other_keypoints_are_not_timed(job, monkeypatch):
    original = room.decode_heatmaps
    monkeypatch.setattr(room, "decode_heatmaps", lambda maps, how: (original(maps, how)[0] + 1, None))
    found = perform(replace(job, task="times"))
    assert set(found.times) == {"mmpose plain", "mmpose DARK", "mmpose UDP"}
    assert "keypoints of ours plain: found a difference of 1 pixels" in found.refused["ours plain"]


def test_heatmaps_have_their_maxima_where_keypoints_are(job):
    maps = room.example_heatmaps(job.subjects[0].network)
    assert maps.shape == (2, 17, 64, 48)
    assert maps.dtype == np.float32
    assert maps.max(axis=(2, 3)).min() > 0.5
