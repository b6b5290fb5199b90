"""A training that stops and goes on is the one that never stopped, to the last bit."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

VARIANTS = {
    "plain": {},
    "workers": {"workers": 2},
    "bf16": {"wrapper": {"type": "AmpOptimWrapper", "dtype": "bfloat16"}},
    "accumulated": {"wrapper": {"accumulative_counts": 4}},
    "two optimizers": {"two_optimizers": (4, 3)},
    "no seed": {"seed": None},
    "endless": {"sampler": "InfiniteSampler"},
    "endless, workers": {"sampler": "InfiniteSampler", "workers": 2},
}
#: In an epoch of six batches: in the middle of the first, at the end of the first, in the middle of the second.
MOMENTS = (3, 6, 10)


#: Samplers without an end are for trainings by iterations.
CASES = [("epochs", name) for name in VARIANTS if "endless" not in name] + [("iterations", name) for name in VARIANTS]


@pytest.mark.parametrize(("kind", "variant"), CASES)
def test_stop_and_resume(small, tmp_path, kind, variant):
    options = VARIANTS[variant]
    straight = small.run(tmp_path / "straight", kind, **options)
    if options.get("seed", 3) is None:  # the seed of the straight run is drawn; the others take it from there
        options = {"seed": straight.seed}
    for moment in MOMENTS:
        folder = tmp_path / str(moment)
        first = small.run(folder, kind, hooks=[small.StopAfter(moment)], **options)
        assert first.iter + 1 == moment
        if variant == "no seed":
            options = {"seed": None}  # to be found in the checkpoint
        torch.rand(3), np.random.rand(5), random.random()  # whatever happens in between
        resumed = small.run(folder, kind, resume=True, **options)
        assert resumed.iter == straight.iter == 18
        assert min(resumed.losses) == moment
        assert small.differences(small.state(tmp_path / "straight"), small.state(folder)) == []
        assert {**first.losses, **resumed.losses} == straight.losses
        assert [*first.asked, *resumed.asked] == straight.asked
        if variant == "no seed":
            options = {"seed": straight.seed}


@pytest.mark.parametrize("kind", ["epochs", "iterations"])
def test_older_checkpoints_go_on(small, tmp_path, kind):
    straight = small.run(tmp_path / "straight", kind, save=small.saved_at(18))
    small.run(tmp_path, kind, save=small.saved_at(10), hooks=[small.StopAfter(10)])
    path = (tmp_path / "last_checkpoint").read_text()
    checkpoint = small._load_checkpoint(path)
    for later in ("sampler_seed", "parts"):
        del checkpoint["training_position"][later]
    torch.save(checkpoint, path)
    resumed = small.run(tmp_path, kind, save=small.saved_at(18), resume=True)
    assert resumed.losses == {at: loss for at, loss in straight.losses.items() if at >= 10}
    assert small.differences(small.state(tmp_path / "straight"), small.state(tmp_path)) == []
