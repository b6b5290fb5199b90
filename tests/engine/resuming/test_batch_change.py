"""A training that goes on with another batch: refused, or with the learning rate that it would have had."""

from __future__ import annotations

import pytest

from hrnet_plugin.errors import ConfigError


def test_refused_by_default_in_one_line(small, tmp_path):
    small.run(tmp_path, hooks=[small.StopAfter(4)])
    with pytest.raises(ConfigError) as told:
        small.run(tmp_path, resume=True, batch=6)
    assert str(told.value) == (
        "--resume: 3 samples an update when the checkpoint was written: found 6 now (1 x 6), expected 3 (1 x 3), for "
        "which the learning rate was chosen. Set processes and batch_size to give it, or choose: --on-batch-change "
        "rescale (the learning rate times 2) or --on-batch-change keep (it as it is)"
    )


@pytest.mark.parametrize("moment", [4, 6, 13])
def test_rescaled_as_if_it_had_been_so_from_the_beginning(small, tmp_path, moment):
    # Of 3 samples an epoch has six batches, of 6 it has three: a warm-up of 8 steps ends in another epoch.
    small.run(tmp_path / "a", hooks=[small.StopAfter(moment)])
    resumed, whole = small.Rates(), small.Rates()
    runner = small.run(tmp_path / "a", resume=True, batch=6, on_batch_change="rescale", hooks=[resumed.hook])
    small.run(tmp_path / "b", batch=6, wrapper={"optimizer": {"type": "Adam", "lr": 0.02}}, hooks=[whole.hook])
    begun = min(resumed.rates)
    assert begun == moment // 6 * 3 + moment % 6 // 2
    assert resumed.rates == pytest.approx({at: rate for at, rate in whole.rates.items() if at >= begun}, rel=1e-12)
    assert runner.iter == 9
    assert "the learning rate is multiplied by 2" in small.logged(tmp_path / "a")


def test_kept(small, tmp_path):
    small.run(tmp_path, hooks=[small.StopAfter(6)])
    resumed = small.Rates()
    small.run(tmp_path, resume=True, batch=6, on_batch_change="keep", hooks=[resumed.hook])
    whole = small.Rates()
    small.run(tmp_path / "b", batch=6, hooks=[whole.hook])
    assert resumed.rates == pytest.approx({at: rate for at, rate in whole.rates.items() if at >= 3}, rel=1e-12)
    assert "the learning rate stays" in small.logged(tmp_path)


def test_the_same_samples_an_update_are_no_change(small, tmp_path):
    small.run(tmp_path, batch=6, hooks=[small.StopAfter(4)])
    resumed = small.run(tmp_path, resume=True, wrapper={"accumulative_counts": 2}, length=2)
    assert "the same samples an update, 1 x 6 at the checkpoint, 1 x 3 x 2 now" in small.logged(tmp_path)
    assert sorted(resumed.losses) == [8, 9, 10, 11]  # one batch of six of the second epoch was seen: two of three


def test_iterations_stay_what_they_are(small, tmp_path):
    small.run(tmp_path, "iterations", hooks=[small.StopAfter(4)])
    resumed = small.Rates()
    options = {"sampler": "InfiniteSampler", "batch": 6, "on_batch_change": "rescale"}
    runner = small.run(tmp_path, "iterations", resume=True, hooks=[resumed.hook], **options)
    whole = small.Rates()
    optimizer = {"optimizer": {"type": "Adam", "lr": 0.02}}
    small.run(tmp_path / "b", "iterations", batch=6, sampler="InfiniteSampler", wrapper=optimizer, hooks=[whole.hook])
    assert min(resumed.rates) == 4
    assert runner.iter == 18
    assert resumed.rates == pytest.approx({at: rate for at, rate in whole.rates.items() if at >= 4}, rel=1e-12)


def test_another_data_set_begins_its_pass_anew(small, tmp_path):
    small.run(tmp_path, hooks=[small.StopAfter(4)])
    resumed = small.run(tmp_path, resume=True, dataset=small.Augmented(20))
    assert "resumed on 20 samples from a checkpoint of a training on 17" in small.logged(tmp_path)
    assert len(resumed.losses) == 3 * 7


def test_another_data_set_hides_no_other_batch(small, tmp_path):
    small.run(tmp_path, hooks=[small.StopAfter(10)], save=small.saved_at(10))
    options = {"resume": True, "batch": 6, "dataset": small.Augmented(20), "save": small.saved_at(12)}
    with pytest.raises(ConfigError, match="3 samples an update when the checkpoint was written: found 6 now"):
        small.run(tmp_path, **options)
    rates, whole = small.Rates(), small.Rates()
    resumed = small.run(tmp_path, on_batch_change="rescale", hooks=[rates.hook], **options)
    adam, data = {"optimizer": {"type": "Adam", "lr": 0.02}}, small.Augmented(20)
    small.run(tmp_path / "b", batch=6, wrapper=adam, hooks=[whole.hook], dataset=data, save="none")
    assert sorted(resumed.losses) == [*range(4, 12)]  # four batches an epoch; the second begins anew
    assert rates.rates == pytest.approx({at: rate for at, rate in whole.rates.items() if at >= 4}, rel=1e-12)


@pytest.mark.parametrize(("samples", "batch", "stop", "later", "first"), [(10, 8, 2, 2, 5), (8, 3, 3, 6, 2)])
def test_an_epoch_that_was_whole_stays_whole(small, tmp_path, samples, batch, stop, later, first):
    # The last batch of an epoch may be a small one: two batches of 8 samples are no 16 where there are 10.
    small.run(tmp_path, dataset=small.Augmented(samples), batch=batch, hooks=[small.StopAfter(stop)])
    options = {"batch": later, "resume": True, "on_batch_change": "keep"}
    assert min(small.run(tmp_path, dataset=small.Augmented(samples), **options).losses) == first


def test_a_validation_that_is_done_stays_done(small, tmp_path):
    options = {"save": {"interval": 1, "save_best": "AP", "rule": "greater"}, "scores": {1: 0.5, 2: 0.4, 3: 0.3}}
    # The best of the first epoch has the last checkpoint written behind the validation.
    small.run(tmp_path, hooks=[small.StopAfter(7)], **options)
    assert len(small.run(tmp_path, resume=True, batch=6, on_batch_change="keep", **options).asked) == 2


def test_an_unknown_choice_is_told(small, tmp_path):
    with pytest.raises(ConfigError, match="on_batch_change: found 'scale', expected one of refuse, rescale, keep"):
        small.run(tmp_path, on_batch_change="scale")
