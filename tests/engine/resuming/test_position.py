"""What a checkpoint says of where a training stands."""

from __future__ import annotations

import pytest

from hrnet_plugin.engine.resuming.position import TrainingPosition
from hrnet_plugin.errors import CheckpointError

SOUND = TrainingPosition(7, False, 2, 8, 4, 100)


def test_there_and_back():
    assert TrainingPosition.from_plain(SOUND.to_plain()) == SOUND
    assert (SOUND.step_samples, SOUND.update_samples) == (16, 64)
    parts = TrainingPosition(7, True, 2, 8, 4, 100, 3, {"first": [4, 7], "last": [1, 9]})
    assert TrainingPosition.from_plain(parts.to_plain()) == parts
    assert [parts.update_samples_of(part) for part in ("first", "last", "")] == [64, 16, 64]
    assert (SOUND.words(), parts.words()) == ("2 x 8 x 4", "2 x 8 x (first 4, last 1)")


def test_those_without_the_later_fields_are_read():
    plain = SOUND.to_plain()
    del plain["sampler_seed"], plain["parts"]
    assert TrainingPosition.from_plain(plain) == SOUND


@pytest.mark.parametrize(
    "plain",
    [3, [], {}, {"batches": 1}, {**SOUND.to_plain(), "batches": -1}, {**SOUND.to_plain(), "batches": 1.0},
     {**SOUND.to_plain(), "batches": True}, {**SOUND.to_plain(), "validated": 1}, {**SOUND.to_plain(), "more": 1},
     {**SOUND.to_plain(), "world_size": 0}, {**SOUND.to_plain(), "sampler_seed": 1.0},
     {**SOUND.to_plain(), "parts": [1]}, {**SOUND.to_plain(), "parts": {"a": [0, 1]}},
     {**SOUND.to_plain(), "parts": {"a": [1]}}, {**SOUND.to_plain(), "parts": {1: [1, 1]}}],
)  # fmt: skip
def test_what_is_no_position_is_told_in_one_line(plain):
    with pytest.raises(CheckpointError, match="training_position") as told:
        TrainingPosition.from_plain(plain)
    assert "\n" not in str(told.value)
