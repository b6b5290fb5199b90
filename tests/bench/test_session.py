"""A benchmark that is stopped loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrnet_plugin.bench.machine import describe_machine
from hrnet_plugin.bench.plans import Plan, Settings
from hrnet_plugin.bench.results import FILE, Run, TargetLine, read_report, write_report
from hrnet_plugin.bench.session import PAGE, Session
from hrnet_plugin.bench.subjects import Job, Network, Outcome, Subject
from hrnet_plugin.errors import ConfigError, DataError


class Runner:
    """Answers as a process would, and counts."""

    def __init__(self):
        self.count = 0
        self.folders: set[str] = set()

    def __call__(self, job: Job) -> Outcome:
        self.count += 1
        self.folders.add(job.folder)
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


@pytest.mark.parametrize("change", [{"settle": False}, {"apart": True}])
def test_another_protocol_measures_anew(tmp_path, change):
    runner, settings = Runner(), Settings(tmp_path, 1, 2)
    Session(settings, runner).measure_plan(_plan("first"), _silent)
    before = runner.count
    Session(settings, runner).measure_plan(replace(_plan("first"), **change), _silent)
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


class Refusing(Runner):
    """Has no openvino yet."""

    def __call__(self, job: Job) -> Outcome:
        outcome = super().__call__(job)
        return replace(outcome, refused={"fast": "openvino: not installed"}) if job.task == "prepare" else outcome


def _two(config: str = "a.py") -> Plan:
    return Plan("first", "first", (Subject("base", Network(config)), Subject("fast", Network(config), Network(config))))


def test_what_was_refused_is_tried_again(tmp_path):
    settings = Settings(tmp_path, 1, 2, strict=False)
    assert Session(settings, Refusing()).measure_plan(_two(), _silent).find("fast") is None
    assert Session(settings, Runner()).measure_plan(_two(), _silent).find("fast") is not None


def test_a_config_that_was_changed_is_measured_anew(tmp_path):
    config, runner, settings = tmp_path / "net.py", Runner(), Settings(tmp_path / "out", 1, 2)
    config.write_text("width = 32")
    Session(settings, runner).measure_plan(_two(str(config)), _silent)
    before = runner.count
    Session(settings, runner).measure_plan(_two(str(config)), _silent)
    assert runner.count == before
    config.write_text("width = 48")
    Session(settings, runner).measure_plan(_two(str(config)), _silent)
    assert runner.count > before
    # Nor are its weights and exported files taken for the new one's.
    assert len(runner.folders) == 2


def test_another_version_measures_anew(tmp_path, monkeypatch):
    settings, runner = Settings(tmp_path, 1, 2), Runner()
    Session(settings, runner).measure_plan(_plan("first"), _silent)
    monkeypatch.setattr("hrnet_plugin.bench.session.__version__", "99.0")
    Session(settings, runner).measure_plan(_plan("first"), _silent)
    assert len(runner.folders) == 2


def test_the_table_has_the_order_of_its_suite(tmp_path):
    session = Session(Settings(tmp_path, 1, 2), Runner())
    lines = {row: TargetLine(row, row, "reported") for row in ("a", "b", "c", "gone")}
    session.finish((lines["c"], lines["gone"]))
    report = session.finish((lines["b"], lines["a"]), order=("a", "b", "c"))
    assert [line.row for line in report.targets] == ["a", "b", "c", "gone"]


def test_a_quick_look_sets_aside_what_took_long(tmp_path):
    Session(Settings(tmp_path, 5, 30), Runner()).measure_plan(_plan("first"), _silent)
    for processes in (1, 2):
        Session(Settings(tmp_path, processes, 2), Runner()).measure_plan(_plan("first"), _silent)
    found = [read_report(tmp_path / name).runs[0].processes for name in (FILE, "results-before-1.json")]
    assert found == [2, 5]
    assert read_report(tmp_path / "results-before-2.json").runs[0].processes == 1


def test_tables_remarks_and_days_stay(tmp_path):
    session = Session(Settings(tmp_path, 1, 2), Runner())
    run = session.measure_plan(_plan("first"), _silent)
    lines = [TargetLine(row, row, "reported") for row in ("a", "b")]
    session.finish(tuple(lines))
    path = tmp_path / FILE
    old = replace(read_report(path), remarks=("Busy.",), runs=(replace(run, date="2020-01-01"),))
    write_report(old, path)
    again = Session(Settings(tmp_path, 1, 2), Runner())
    again.measure_plan(_plan("first"), _silent)
    again.measure_plan(_plan("second"), _silent)
    report = again.finish((replace(lines[1], note="new"),))
    assert {line.row: line.note for line in report.targets} == {"a": "", "b": "new"}
    assert report.remarks == ("Busy.",)
    assert report.find("first").date == "2020-01-01"
    assert report.find("second").date == report.date > "2020-01-01"


def test_other_files_are_measured_anew(tmp_path):
    checkpoint, made = tmp_path / "w.pth", []
    run = Run("tool", "tool", (), processes=1, turns=1, threads=2)

    def produce(tell):
        made.append(1)
        return run

    for content, count in (("a", 1), ("a", 1), ("b", 2)):
        checkpoint.write_text(content)
        Session(Settings(tmp_path)).measure("tool", produce, _silent, 1, [checkpoint])
        assert len(made) == count
    Session(Settings(tmp_path)).measure("tool", produce, _silent, 5, [checkpoint])
    assert len(made) == 3


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--out .*file: found a file, expected a folder"):
        Session(Settings(tmp_path / "file"))
