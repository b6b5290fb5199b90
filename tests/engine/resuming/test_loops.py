"""Trainings that have nothing to train on, or no whole number of steps to do."""

from __future__ import annotations

import pytest

from hrnet_plugin.errors import ConfigError, DataError


@pytest.mark.parametrize("kind", ["epochs", "iterations"])
def test_no_batch_in_a_pass_is_told(small, tmp_path, kind):
    with pytest.raises(DataError) as told:
        small.run(tmp_path, kind, batch=32, loader={"drop_last": True})
    assert str(told.value) == (
        "train_dataloader: no batch in a whole pass over the data: found 17 samples, 32 a batch on each of 1 "
        "processes, expected at least one batch. Set a smaller batch_size, or drop_last=False"
    )


def test_iterations_are_whole_numbers(small, tmp_path):
    loop = small.run(tmp_path, "iterations", length=1.8e1, save="none").train_loop
    assert (loop.iter, repr(loop.max_iters)) == (18, "18")
    with pytest.raises(ConfigError, match=r"train_cfg\.max_iters: found 18\.5, expected a whole number"):
        small.run(tmp_path, "iterations", length=18.5)
