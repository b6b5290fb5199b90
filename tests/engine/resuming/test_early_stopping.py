"""Early stopping counts on where it was stopped itself."""

from __future__ import annotations

import pytest
from mmengine.hooks import EarlyStoppingHook

from hrnet_plugin.errors import CheckpointError

#: Of the validation after each epoch; the best is the second.
SCORES = {1: 0.5, 2: 0.9, 3: 0.5, 4: 0.5, 5: 0.5, 6: 0.5, 7: 0.5, 8: 0.5}
BEST = {"interval": 1, "by_epoch": True, "save_best": "AP", "rule": "greater"}


def stopping(patience: int = 2, **options) -> EarlyStoppingHook:
    return EarlyStoppingHook(monitor="AP", rule="greater", patience=patience, **options)


@pytest.mark.parametrize("moment", [9, 12, 18, 20, 24])
def test_it_ends_where_it_would_have_ended(small, tmp_path, moment):
    options = {"length": 8, "scores": SCORES}
    at_end = {"save": small.saved_at(24), **options}
    straight = small.run(tmp_path / "a", hooks=[stopping()], **at_end)
    hooks = [stopping(), small.StopAfter(moment)]
    first = small.run(tmp_path / "b", hooks=hooks, save=small.saved_at(moment), **options)
    resumed = small.run(tmp_path / "b", resume=True, hooks=[stopping()], **at_end)
    assert straight.epoch == resumed.epoch == 4
    assert {**first.losses, **resumed.losses} == straight.losses
    assert small.differences(small.state(tmp_path / "a"), small.state(tmp_path / "b")) == []


def test_what_it_has_ended_ends_again(small, tmp_path):
    options = {"length": 8, "scores": SCORES, "save": small.saved_at(24)}
    straight = small.run(tmp_path, hooks=[stopping()], **options)
    resumed = small.run(tmp_path, hooks=[stopping()], resume=True, **options)
    assert (straight.epoch, resumed.epoch, resumed.losses) == (4, 4, {})


@pytest.mark.parametrize("later", [None, 3])
def test_a_best_checkpoint_of_the_validation_that_ends_it(small, tmp_path, later):
    # The last checkpoint is written once more when there is a new best: behind the validation, which is not repeated.
    options = {"save": BEST, "length": 3, "scores": SCORES}
    small.run(tmp_path, hooks=[stopping(stopping_threshold=0.8)], **options)
    assert small.state(tmp_path)["training_position"]["validated"]
    hook = stopping(stopping_threshold=0.8) if later is None else stopping(later)
    resumed = small.run(tmp_path, hooks=[hook], resume=True, **options)
    # Configured otherwise, it has not ended yet.
    assert (resumed.epoch, len(resumed.asked)) == ((2, 0) if later is None else (3, 1))
    assert (hook.best_score, hook.wait_count) == (0.9, later is not None)


def test_each_hook_counts_for_itself(small, tmp_path):
    hooks = [stopping(8), stopping(8, min_delta=1.0), small.StopAfter(20)]
    options = {"length": 8, "scores": SCORES, "save": small.saved_at(20)}
    small.run(tmp_path, hooks=hooks, **options)
    again = [stopping(8), stopping(8, min_delta=1.0)]
    small.run(tmp_path, hooks=[*again, small.StopAfter(21)], resume=True, **options)
    counts = [(hook.wait_count, hook.best_score) for hook in again]
    assert counts == [(hook.wait_count, hook.best_score) for hook in hooks[:2]]
    assert counts[0] != counts[1]


@pytest.mark.parametrize("entry", [3, {"stopped": 1, "hooks": []}, {"stopped": True, "hooks": [{"wait_count": 1}]}])
def test_what_is_no_such_entry_is_told_in_one_line(small, tmp_path, entry):
    hooks = [stopping(), small.StopAfter(2)]
    small.run(tmp_path, hooks=hooks)
    path = (tmp_path / "last_checkpoint").read_text()
    checkpoint = small._load_checkpoint(path)
    small.torch.save({**checkpoint, "early_stopping": entry}, path)
    with pytest.raises(CheckpointError, match=r"'early_stopping': found .* expected stopped, and of each hook") as told:
        small.run(tmp_path, hooks=[stopping()], resume=True)
    assert "\n" not in str(told.value)
