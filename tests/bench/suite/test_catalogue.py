"""The suites: every row of the table is there, with its target and with a run that it is read from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hrnet_plugin.bench.statistics import Interval
from hrnet_plugin.bench.subjects import LIMIT, TRAINING, Network, Subject
from hrnet_plugin.bench.suite.catalogue import SUITES, find_suite
from hrnet_plugin.bench.suite.choices import choices
from hrnet_plugin.bench.suite.goals import best_speed_up, fastest_rise, memory_of, share_of_limit, speed_up_of, time_of
from hrnet_plugin.bench.suite.goals import value_loss as loss
from hrnet_plugin.bench.suite.whole_processes import Given
from hrnet_plugin.errors import ConfigError

#: Row, bound, and whether it is an upper one: what the suite was written for.
BOUNDS = [
    ("inference-fp32", 2.3, False),
    ("inference-fp32", 85, False),
    ("inference-torch", 1.9, False),
    ("inference-torch", 1.4, False),
    ("inference-low", 4.3, False),
    ("inference-low", 6.5, False),
    ("accuracy", 0.005, True),
    ("accuracy", 0.01, True),
    ("batch-8", 1.75, False),
    ("batch-8", 3.4, False),
    ("batch-8", 6.0, False),
    ("training", 1.3, False),
    ("training", 2.3, False),
    ("training-memory", 45, True),
    ("training-memory", 1.35, True),
    ("test-tool", 1.3, False),
    ("test-tool", 2.2, False),
    ("decoding", 5.0, False),
    ("decoding", 5.0, False),
    ("decoding", 5.0, False),
    ("segmentation", 2.0, False),
    ("growth", 1.05, True),
]


def test_every_target_is_there():
    goals = SUITES["targets"].goals
    assert [(goal.row, goal.bound, goal.at_most) for goal in goals if goal.bound is not None] == BOUNDS
    assert {goal.row for goal in goals} - {row for row, *_ in BOUNDS} == {"rivals", "training-options"}


@pytest.mark.parametrize("name", SUITES)
def test_every_line_says_what_and_how_much_and_has_a_run(name):
    suite = SUITES[name]
    assert len(suite.goals) > 3
    for goal in suite.goals:
        assert goal.what
        assert goal.target
        assert goal.run in {**suite.plans, **suite.tools}
        assert goal.bound is None or f"{goal.bound:g}" in goal.target


@pytest.mark.parametrize("name", SUITES)
def test_plans_have_names_of_their_own_and_a_baseline_first(name):
    for run, make in SUITES[name].plans.items():
        plan = make()
        assert plan.name == run
        names = [subject.name for subject in plan.subjects]
        assert len(set(names)) == len(names) > 1
        assert set(plan.parts) <= set(names)
        assert plan.minutes > 0
        first, *others = plan.subjects
        assert first.role != LIMIT
        assert first.reference is None
        for other in others:
            config = other.source.config.rpartition("::")[2]
            assert "::" in other.source.config or Path(config).is_file()


def test_what_is_named_by_goals_is_in_the_plans():
    batch_one = {one.name for one in SUITES["targets"].plans["batch-1"]().subjects}
    assert {"mmpose eager", "torch fp32", "torch-compile fp32", "openvino int8", "ncnn fp32", "limit"} < batch_one
    memory = SUITES["targets"].plans["training-memory"]()
    assert [one.name for one in memory.subjects] == [
        "mmpose eager",
        "mmpose with_cp",
        "ours checkpointed",
        "ours nested",
    ]
    assert all(one.role == TRAINING for one in memory.subjects)
    assert memory.memory


def test_every_option_of_a_training_is_measured_by_itself():
    subjects = {one.name: one for one in SUITES["targets"].plans["training-options"]().subjects}
    first, *ours = subjects.values()
    assert (first.network.framework or first.network.config).startswith("mmpose")
    ways = {
        (one.channels_last, one.freed_memory, one.precision, one.runtime, *one.network.options.items()) for one in ours
    }
    assert len(ways) == len(ours)
    alone = {
        "channels-last": (True, "fp32", "eager"),
        "keep memory": (False, "fp32", "eager"),
        "fused optimizer": (False, "fp32", "eager", ("optim_wrapper.optimizer.fused", True)),
        "bf16": (False, "bf16", "eager"),
        "compiled": (False, "fp32", "torch-compile"),
        "checkpointed": (False, "fp32", "eager", ("model.backbone.with_cp", True)),
        "nested": (False, "fp32", "eager", ("model.backbone.with_cp", "nested")),
        "accumulate 4": (False, "fp32", "eager", ("optim_wrapper.accumulative_counts", 4)),
    }
    for name, way in alone.items():
        one = subjects[name]
        assert (one.channels_last, one.precision, one.runtime, *one.network.options.items()) == way
        recomputes = name in ("checkpointed", "nested")
        assert one.freed_memory == ("return" if recomputes else "keep" if name == "keep memory" else "")
    assert all(one.role == TRAINING and one.reference == first.network for one in ours)


def test_published_accuracy_comes_from_the_indexes():
    found = {one.name: one.facts["published AP"] for one in choices().subjects}
    assert found["W32 256x192"] == 0.749
    assert found["RTMPose-m 256x192"] == 0.758
    assert len(found) == 8


def test_lines_without_runs_say_why(report):
    lines = SUITES["targets"].table(replace(report, runs=()), {"accuracy": "give --checkpoint and --data-root"})
    assert len(lines) == len(SUITES["targets"].goals)
    assert all(line.measured is None and line.is_met is None and line.note for line in lines)
    assert {line.note for line in lines if line.row == "accuracy"} == {"give --checkpoint and --data-root"}


def test_lines_are_read_from_their_runs(report):
    lines = SUITES["targets"].only(["inference-fp32", "inference-torch"]).table(report, {})
    assert [line.measured and round(line.measured.median, 2) for line in lines] == [2.35, 67.5, None, 1.31]
    assert [line.is_met for line in lines] == [True, False, None, False]
    assert lines[0].note == "openvino"
    assert lines[2].note == "torch-compile fp32 was not run"


def test_readers_of_a_run(run):
    assert best_speed_up("fp32")(run)[1] == "openvino"
    assert best_speed_up("int8")(run) == (None, "no runtime for int8")
    assert speed_up_of("ncnn fp32")(run) == (None, "ncnn: not installed")
    assert share_of_limit(run)[0].median == pytest.approx(67.5)
    assert time_of("torch fp32")(run)[0].high == pytest.approx(0.8)
    assert memory_of("openvino fp32")(run)[0] is None
    with_memory = replace(run, measured=(replace(run.measured[0], memory=2**30), *run.measured[1:]))
    assert memory_of("openvino fp32")(with_memory)[0] == Interval(50, 50, 50)


def test_a_loss_is_what_is_missing(run):
    pairs = (("fp32", 0.9), ("int8", 0.88))
    measured = tuple(replace(run.measured[0], subject=Subject(n, Network("a")), values={"AP": v}) for n, v in pairs)
    found, note = loss("int8", "AP", "fp32")(replace(run, measured=measured))
    assert found.median == pytest.approx(0.02)
    assert "0.9000 to 0.8800" in note
    assert loss("bf16", "AP", "fp32")(run)[0] is None


def test_growth_is_that_of_the_fastest_runtime(run):
    def entry(runtime: str, size: int, seconds: float):
        subject = Subject(f"{runtime} {size}", Network("a.py", size=(size, size)), runtime=runtime)
        return replace(run.measured[0], subject=subject, times=((seconds,) * 3,) * 2)

    measured = [entry("torch", size, size**2 * 2e-6) for size in (64, 128, 256)]
    measured += [entry("openvino", size, size**1.8 * 1e-6) for size in (64, 128, 256)]
    found, note = fastest_rise(replace(run, measured=tuple(measured)))
    assert found.median == pytest.approx(0.9)
    assert note == "openvino fp32, batch 1; torch fp32, batch 1 1.00"


def test_unknown_names():
    with pytest.raises(ConfigError, match=r"--suite target: found no such suite\. Did you mean 'targets'"):
        find_suite("target")
    with pytest.raises(ConfigError, match=r"--rows trainig: found no such row\. Did you mean 'training'"):
        find_suite("targets").only(["trainig"])


def test_given_weights_are_those_of_w32_alone(tmp_path):
    (tmp_path / "w32.pth").touch()
    suite = SUITES["targets"].only(["inference-fp32", "rivals", "training"])
    for plan in suite.make_plans(Given(tmp_path / "w32.pth")):
        for subject in plan.subjects:
            is_w32 = "hrnet-w32" in subject.network.config and subject.role != TRAINING
            is_w32 = is_w32 and "384x288" not in subject.network.config
            assert bool(subject.network.checkpoint) == bool(subject.source.checkpoint) == is_w32
