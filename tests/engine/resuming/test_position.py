"""What a checkpoint says of where a training stands."""

from __future__ import annotations

import pytest

from hrnet_plugin.engine.resuming.position import TrainingPosition
from hrnet_plugin.errors import CheckpointError

SOUND = TrainingPosition(7, False, 2, 8, 4, 100)


def test_there_and_back():
    assert TrainingPosition.from_plain(SOUND.to_plain()) == SOUND
    assert (SOUND.step_samples, SOUND.update_samples) == (16, 64)


@pytest.mark.parametrize(
    "plain",
    [3, [], {}, {"batches": 1}, {**SOUND.to_plain(), "batches": -1}, {**SOUND.to_plain(), "batches": 1.0},
     {**SOUND.to_plain(), "batches": True}, {**SOUND.to_plain(), "validated": 1}, {**SOUND.to_plain(), "more": 1},
     {**SOUND.to_plain(), "world_size": 0}],
)  # fmt: skip
def test_what_is_no_position_is_told_in_one_line(plain):
    with pytest.raises(CheckpointError, match="training_position") as told:
        TrainingPosition.from_plain(plain)
    assert "\n" not in str(told.value)
