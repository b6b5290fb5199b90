"""Two processes with batch 8 are the same training as one process with batch 16, as far as arithmetic allows; a test in
one, two and three processes gives the identical metric, also where they do not share evenly.
"""

from __future__ import annotations

import pytest
import tiny_runs
from comparing import check_end, check_first_step

TASKS = ("pose", "seg")
WORLDS = (2, 3)
#: Networks of two stages; the slow tests have four.
STAGES = 2
FAST = {"gradient_view": True, "static_graph": True, "channels_last": True, "fused_optimizer": True}


@pytest.fixture(scope="module")
def joined(run_processes) -> dict[str, dict[int, list]]:
    """What each process found, by case and number of processes."""
    trained = {f"{task} float32": {"task": task, "steps": 2} for task in TASKS}
    trained["pose float64"] = {"task": "pose", "double": True}
    trained["pose fast"] = {"task": "pose", "double": True, "speed": FAST}
    tested = {f"{task} tested": {"task": task, "evaluate": True} for task in TASKS}
    cases = {2: trained | tested, 3: tested}
    return run_processes({world: {name: case | {"stages": STAGES} for name, case in named.items()}
                          for world, named in cases.items()})  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_first_step_in_float32(task, joined, alone):
    ranks = joined[f"{task} float32"][2]
    expected = alone(task, stages=STAGES, steps=2)
    check_first_step(ranks, expected, 1e-5)
    assert ranks[0]["find_unused"] is False


def test_twenty_steps_in_float64(joined, alone):
    expected = alone("pose", stages=STAGES, double=True)
    check_first_step(joined["pose float64"][2], expected, 1e-12)
    check_end(joined["pose float64"][2], expected)


def test_options_leave_the_training_as_it_is(joined, alone):
    expected = alone("pose", stages=STAGES, double=True)
    check_first_step(joined["pose fast"][2], expected, 1e-12)
    check_end(joined["pose fast"][2], expected)


@pytest.fixture(scope="module")
def expected(people, alone, tmp_path_factory) -> dict[str, dict[str, float]]:
    """The metrics of one process without a group."""
    folder = tmp_path_factory.mktemp("evaluated")
    return {task: tiny_runs.evaluate(tiny_runs.config(task, people, 1, stages=STAGES), folder / task) for task in TASKS}


def test_metrics_say_something(expected):
    assert all(tiny_runs.EVALUATED % world for world in WORLDS)
    assert 0 < expected["pose"]["coco/AP"] < 1
    assert 0 < expected["pose"]["PCK"] < 1
    assert expected["pose"]["EPE"] > 0
    assert 0 < expected["seg"]["mIoU"] < expected["seg"]["mDice"] < 100


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("task", TASKS)
def test_metrics_are_identical(task, world, joined, expected):
    assert joined[f"{task} tested"][world] == [expected[task]] * world
