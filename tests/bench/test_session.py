"""A benchmark that is stopped loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrnet_plugin.bench.machine import describe_machine
from hrnet_plugin.bench.plans import Plan, Settings
from hrnet_plugin.bench.results import FILE, read_report, write_report
from hrnet_plugin.bench.session import PAGE, Session
from hrnet_plugin.bench.subjects import Job, Network, Outcome, Subject
from hrnet_plugin.errors import ConfigError, DataError


class Runner:
    """Answers as a process would, and counts."""

    def __init__(self):
        self.count = 0

    def __call__(self, job: Job) -> Outcome:
        self.count += 1
        return Outcome(times={subject.name: (0.5,) * job.turns for subject in job.subjects})


def _plan(name: str, config: str = "a.py") -> Plan:
    return Plan(name, name, (Subject("base", Network(config)),))


def _silent(text: str) -> None:
    """Is told, and says nothing."""


def test_each_run_is_saved_and_not_measured_again(tmp_path):
    settings = Settings(tmp_path, 1, 2)
    runner = Runner()
    session = Session(settings, runner)
    first = session.measure_plan(_plan("first"), _silent)
    assert [run.name for run in read_report(tmp_path / FILE).runs] == ["first"]
    session.measure_plan(_plan("second"), _silent)
    measured = runner.count
    again = Session(settings, runner)
    assert again.measure_plan(_plan("first"), _silent) == first
    assert runner.count == measured
    # What has not had its turn yet stays in the file.
    assert [run.name for run in read_report(tmp_path / FILE).runs] == ["first", "second"]
    again.measure_plan(_plan("first", config="b.py"), _silent)
    assert runner.count > measured
    assert [run.name for run in again.finish().runs] == ["first", "second"]
    assert "## first" in (tmp_path / PAGE).read_text()


@pytest.mark.parametrize("change", [{"processes": 2}, {"turns": 3}, {"threads": 1}])
def test_other_settings_are_measured_anew(tmp_path, change):
    runner = Runner()
    settings = Settings(tmp_path, 1, 2)
    Session(settings, runner).measure_plan(_plan("first"), _silent)
    before = runner.count
    Session(replace(settings, **change), runner).measure_plan(_plan("first"), _silent)
    assert runner.count > before


def test_results_of_another_machine_are_not_mixed(tmp_path, report):
    write_report(report, tmp_path / FILE)
    with pytest.raises(ConfigError, match=r"--out .*: found results of A processor with torch 2.13.0"):
        Session(Settings(tmp_path))
    card = replace(describe_machine(), device="A card")
    write_report(replace(report, machine=card), tmp_path / FILE)
    with pytest.raises(ConfigError, match="found results of A card"):
        Session(Settings(tmp_path))


def test_broken_results_are_told(tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(DataError, match="broken JSON"):
        Session(Settings(tmp_path))
