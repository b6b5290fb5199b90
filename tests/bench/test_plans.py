"""A plan becomes a run: what is asked of processes, and how their answers are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrnet_plugin.bench.plans import Plan, Settings, run_plan
from hrnet_plugin.bench.subjects import LIMIT, Job, Network, Outcome, Subject
from hrnet_plugin.errors import ConfigError

NETWORK = Network("a.py")
PLAN = Plan(
    "name",
    "title",
    (Subject("base", NETWORK), Subject("fast", NETWORK, NETWORK), Subject("limit", NETWORK, role=LIMIT)),
    memory=True,
    parts=("base",),
    share=0.5,
)


class Runner:
    """Answers as a process would, and remembers what it was asked."""

    def __init__(self, refused: str = ""):
        self.jobs: list[Job] = []
        self.refused = refused

    def __call__(self, job: Job) -> Outcome:
        self.jobs.append(job)
        names = [subject.name for subject in job.subjects]
        if job.task == "prepare":
            refused = {self.refused: "no such runtime"} if self.refused else {}
            return Outcome(parameters=dict.fromkeys(names, 7), macs=dict.fromkeys(names, 9), refused=refused)
        if job.task == "times":
            return Outcome(
                times=dict.fromkeys(names, (0.5,) * job.turns),
                differences={name: 1e-6 * len(self.jobs) for name in names},
                convolution_macs={"limit": 5},
            )
        if job.task == "memory":
            return Outcome(memory={names[0]: 100}, tensor_memory={names[0]: 60})
        return Outcome(parts={names[0]: {"stage 1": 0.1}})


def test_what_is_asked(tmp_path):
    runner, told = Runner(), []
    run_plan(PLAN, Settings(tmp_path, processes=2, turns=30, threads=3), runner, told.append)
    assert [job.task for job in runner.jobs] == ["prepare", "times", "times", "memory", "memory", "parts"]
    assert len(told) == len(runner.jobs) == PLAN.steps(Settings(tmp_path, processes=2))
    assert [job.first for job in runner.jobs[1:3]] == [0, 1]
    assert {job.turns for job in runner.jobs[1:3]} == {15}
    assert {job.threads for job in runner.jobs} == {3}
    assert [job.subjects[0].name for job in runner.jobs[3:]] == ["base", "fast", "base"]


def test_subjects_apart_have_processes_of_their_own(tmp_path):
    runner, told, plan = Runner(), [], replace(PLAN, apart=True)
    settings = Settings(tmp_path, processes=2, turns=4)
    run = run_plan(plan, settings, runner, told.append)
    timed = [job for job in runner.jobs if job.task == "times"]
    names = [one.name for one in PLAN.subjects]
    assert [[one.name for one in job.subjects] for job in timed] == [[name] for name in (*names, *names[1:], names[0])]
    assert len(told) == len(runner.jobs) == plan.steps(settings)
    assert run.apart
    assert run.find("fast").times == ((0.5, 0.5), (0.5, 0.5))


def test_how_answers_are_joined(tmp_path):
    run = run_plan(PLAN, Settings(tmp_path, processes=2, turns=4), Runner())
    assert [one.subject for one in run.measured] == list(PLAN.subjects)
    fast = run.find("fast")
    assert fast.times == ((0.5, 0.5), (0.5, 0.5))
    assert fast.difference == pytest.approx(3e-6)
    assert (fast.parameters, fast.macs, fast.memory, fast.tensor_memory) == (7, 9, 100, 60)
    assert run.measured[0].parts == {"stage 1": 0.1}
    assert run.limits[0].convolution_macs == 5
    assert (run.processes, run.turns, run.threads) == (2, 2, 2)


def test_what_cannot_be_made_stops_or_is_left_out(tmp_path):
    with pytest.raises(ConfigError, match=r"^fast cannot be measured: no such runtime$"):
        run_plan(PLAN, Settings(tmp_path, 1, 2), Runner("fast"))
    run = run_plan(PLAN, Settings(tmp_path, 1, 2, strict=False), Runner("fast"))
    assert run.find("fast") is None
    assert next(one for one in run.measured if one.subject.name == "fast").refused == "no such runtime"
    assert run.find("base").times


@pytest.mark.parametrize(("name", "flag"), [("processes", "--processes"), ("turns", "--repeats"), ("threads", "--thr")])
def test_none_is_refused(tmp_path, name, flag):
    with pytest.raises(ConfigError, match=f"{flag}.*: found 0, expected a whole number of at least 1"):
        Settings(tmp_path, **{name: 0})


def test_the_expected_time_follows_what_is_asked(tmp_path):
    plan = Plan("a", "b", PLAN.subjects, minutes=10)
    assert plan.expected_minutes(Settings(tmp_path)) == 10
    assert plan.expected_minutes(Settings(tmp_path, processes=1)) == 2
    assert 1 < plan.expected_minutes(Settings(tmp_path, processes=1, turns=5)) < 2


def test_what_cannot_be_timed_is_not_asked_for_its_memory(tmp_path):
    """As torch.compile without a compiler: it is found out when it starts."""
    asked = []

    def runner(job: Job) -> Outcome:
        asked.append((job.task, tuple(one.name for one in job.subjects)))
        times = {one.name: (1.0,) * job.turns for one in job.subjects if one.name != "compiled" or len(asked) == 2}
        refused = {"compiled": "no compiler"} if job.task == "times" and len(asked) > 2 else {}
        return Outcome(times=times if job.task == "times" else {}, refused=refused)

    network = Network("a.py")
    subjects = (Subject("base", network), Subject("compiled", network, network, runtime="torch-compile"))
    plan = Plan("a", "a", subjects, memory=True)
    run = run_plan(plan, Settings(tmp_path, 2, 3, strict=False), runner)
    assert ("memory", ("base",)) in asked
    assert ("memory", ("compiled",)) not in asked
    found = {one.subject.name: (len(one.times), one.refused) for one in run.measured}
    assert found == {"base": (2, ""), "compiled": (0, "no compiler")}


def test_there_is_no_ratio_without_the_baseline(tmp_path):
    network = Network("a.py")
    plan = Plan("a", "a", (Subject("base", network), Subject("other", network, network)))
    with pytest.raises(ConfigError, match="baseline base cannot be measured: not installed"):
        run_plan(plan, Settings(tmp_path, strict=False), lambda job: Outcome(refused={"base": "not installed"}))
