"""Checkpoints that mmengine's own loops and hook wrote, which do not say where in the epoch they stand."""

from __future__ import annotations

from pathlib import Path

import mmengine.hooks
import pytest


@pytest.fixture
def theirs(small, tmp_path, monkeypatch):
    """Two epochs of six batches, saved after each and in its middle."""
    with monkeypatch.context() as patched:
        patched.setattr(small, "CheckpointHook", mmengine.hooks.CheckpointHook)
        patched.setitem(small.LOOPS, "epochs", ("mmengine.EpochBasedTrainLoop", "max_epochs"))
        small.run(tmp_path, save={"interval": 1}, hooks=[mmengine.hooks.CheckpointHook(3, by_epoch=False)], length=2)
    return tmp_path


def go_on(small, folder: Path, name: str, **options):
    (folder / "last_checkpoint").write_text(str(folder / name))
    rates = small.Rates()
    runner = small.run(folder, resume=True, length=4, hooks=[rates.hook], save="none", **options)
    return runner, rates.rates


@pytest.mark.parametrize(("name", "begins"), [("epoch_1.pth", 3), ("iter_3.pth", 0), ("iter_9.pth", 3)])
def test_other_batches_an_epoch(small, theirs, tmp_path, name, begins):
    # Six batches of 6 samples are two epochs of three: epoch_1.pth would pass for the end of the second.
    runner, rates = go_on(small, theirs, name, batch=6)
    whole = small.Rates()
    small.run(tmp_path / "whole", batch=6, length=4, hooks=[whole.hook], save="none")
    assert (min(runner.losses), runner.iter, runner.epoch) == (begins, 12, 4)
    assert rates == pytest.approx({at: rate for at, rate in whole.rates.items() if at >= begins}, rel=1e-12)
    logged = "".join(path.read_text() for path in sorted(theirs.glob("*/*.log")))
    assert "resumed with 3 batches an epoch from a checkpoint of a training with 6, which does not tell" in logged


@pytest.mark.parametrize(("name", "begins"), [("epoch_1.pth", 6), ("iter_3.pth", 3), ("iter_12.pth", 12)])
def test_the_same_batches_an_epoch(small, theirs, name, begins):
    runner, _ = go_on(small, theirs, name)
    assert sorted(runner.losses) == [*range(begins, 24)]


def test_iterations(small, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(small, "CheckpointHook", mmengine.hooks.CheckpointHook)
        patched.setitem(small.LOOPS, "iterations", ("mmengine.IterBasedTrainLoop", "max_iters"))
        small.run(tmp_path, "iterations", sampler="InfiniteSampler", length=4)
    data = small.Augmented()
    small.run(tmp_path, "iterations", sampler="InfiniteSampler", resume=True, dataset=data, length=6)
    whole = small.Augmented()
    small.run(tmp_path / "whole", "iterations", sampler="InfiniteSampler", dataset=whole, length=6)
    assert data.loaded == whole.loaded[4 * 3 :]
