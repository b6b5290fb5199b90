"""The order of the samples after a stop is that of the training that never stopped, whatever it follows from."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("kind", ["epochs", "iterations"])
@pytest.mark.parametrize("moment", [4, 14])
def test_sources_that_go_on_from_pass_to_pass(small, tmp_path, monkeypatch, kind, moment):
    samplers = pytest.importorskip("mmpose.datasets.samplers")

    class Sources(small.Augmented):
        def __init__(self):
            super().__init__()
            self._lens = 7, 10
            self.datasets = [range(length) for length in self._lens]

    monkeypatch.setattr(samplers, "CombinedDataset", Sources)
    sampler = {"type": "mmpose.MultiSourceSampler", "batch_size": 3, "source_ratio": [1, 2]}

    def train(name, saved_at, *hooks, **options):
        data, loader = Sources(), {"sampler": sampler}
        options = {"loader": loader, "dataset": data, "hooks": hooks, "save": small.saved_at(saved_at), **options}
        return data.loaded, small.run(tmp_path / name, kind, **options)

    (loaded, straight), (before, first) = train("a", 18), train("b", moment, small.StopAfter(moment))
    after, resumed = train("b", 18, resume=True)
    assert {**first.losses, **resumed.losses} == straight.losses
    assert [*before, *after] == loaded
    assert small.differences(small.state(tmp_path / "a"), small.state(tmp_path / "b")) == []


@pytest.mark.parametrize(("kind", "sampler"), [("epochs", "DefaultSampler"), ("iterations", "InfiniteSampler")])
def test_a_seed_of_the_sampler_that_was_drawn(small, tmp_path, kind, sampler):
    options = {"diff_rank_seed": True, "sampler": sampler, "save": small.saved_at(2)}
    straight = small.run(tmp_path / "a", kind, seed=None, **options)
    drawn = straight.train_loop.dataloader.sampler.seed
    small.np.random.seed(straight.seed)  # what the sampler draws its seed from, as in the straight run
    first = small.run(tmp_path / "b", kind, seed=straight.seed, hooks=[small.StopAfter(8)], **options)
    assert first.train_loop.dataloader.sampler.seed == drawn
    resumed = small.run(tmp_path / "b", kind, seed=None, resume=True, **options)
    assert resumed.train_loop.dataloader.sampler.seed == drawn
    assert {**first.losses, **resumed.losses} == straight.losses
    assert small.differences(small.state(tmp_path / "a"), small.state(tmp_path / "b")) == []
