"""`hrnet bench`: that it runs and that its numbers are sane, never that a clock was fast; and wrong input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hrnet_plugin.bench.measuring import perform
from hrnet_plugin.bench.results import read_report
from hrnet_plugin.bench.suite import catalogue
from hrnet_plugin.errors import LaunchError
from hrnet_plugin.locations import project_dir

FAST = ("--processes", 1, "--repeats", 2, "--threads", 1)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs done here: starting a process takes as long as everything else."""
    monkeypatch.setattr("hrnet_plugin.bench.session.run_process", perform)


@pytest.mark.usefixtures("in_this_process")
def test_a_config_against_mmpose(hrnet, pose_config: Path, workplace: Path):
    ways = ("--runtimes", "torch", "--precisions", "fp32,bf16", "--sizes", "64x64,96x64", "--batches", 2)
    outcome = hrnet("bench", pose_config, "--against", "mmpose", *ways, *FAST, "--out", "out", "--page", "page.md")
    assert outcome.status == 0, outcome.err
    report = read_report(workplace / "out/results.json")
    (run,) = report.runs
    # mmpose eager, torch fp32 and torch bf16 at two sizes.
    assert len(run.timed) == 6
    assert len(run.limits) == 2
    for one in run.timed:
        assert 0 < one.latency.low <= one.latency.median <= one.latency.high
        assert one.parameters == 213465
        assert one.memory > 2**24
        assert one.difference < (0.25 if one.subject.precision == "bf16" else 1e-4)
        assert 0 < run.speed_up(one).median < 1000
        assert 0 < run.share_of_limit(one).median < 100
        assert one.subject.name in outcome.out
    assert run.find("torch fp32, 2 of 64x64").macs == 16134144
    assert {one.achieved.median > 0 for one in run.limits} == {True}
    parts = next(one.parts for one in run.measured if one.parts)
    assert "stage 4 branch 4" in parts
    assert report.machine.cpu in (workplace / "out/results.md").read_text()
    assert (workplace / f"out/plots/latency-against-pixels-{pose_config.stem.replace('_', '-')}.png").is_file()
    again = hrnet("bench", "--from", "out/results.json", "--page", "other/page.md")
    assert again.status == 0
    assert (workplace / "other/page.md").read_text() == (workplace / "page.md").read_text()
    remarked = hrnet("bench", "--from", "other/page.json", "--page", "other/page.md", "--remark", "The fan was loud.")
    assert remarked.status == 0
    assert "\nThe fan was loud.\n" in (workplace / "other/page.md").read_text()
    assert read_report(workplace / "other/page.json").remarks == ("The fan was loud.",)


def _tiny(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's batch-1 run on a network of 8 channels."""
    from hrnet_plugin.bench.plans import Plan
    from hrnet_plugin.bench.subjects import Network
    from hrnet_plugin.bench.suite.subjects import against

    ours = Network(str(config), size=(64, 64))
    theirs = Network(str(config), framework="mmpose", size=(64, 64))
    plan = Plan("batch-1", "tiny", against((theirs, ours), [("torch", "fp32"), ("openvino", "int8")]), minutes=1)
    suite = catalogue.SUITES["targets"]
    small = catalogue.Suite(suite.goals, {**suite.plans, "batch-1": lambda: plan}, suite.tools)
    monkeypatch.setattr(catalogue, "SUITES", {"targets": small})


@pytest.mark.usefixtures("in_this_process")
def test_the_table_of_targets(hrnet, pose_config: Path, workplace: Path, monkeypatch):
    _tiny(pose_config, monkeypatch)
    rows = ("inference-fp32", "inference-torch", "inference-low", "accuracy")
    outcome = hrnet("bench", "--suite", "targets", "--rows", ",".join(rows), *FAST, "--out", "out")
    assert outcome.status == 0, outcome.err
    lines = read_report(workplace / "out/results.json").targets
    assert {line.row for line in lines} == set(rows)
    assert len(lines) == 11
    measured = {line.what: line for line in lines if line.measured is not None}
    assert len(measured) == 4
    assert all(line.measured.median > 0 for line in measured.values())
    table = outcome.out[outcome.out.index("| what |") :].splitlines()
    assert len([line for line in table if line.startswith("|")]) == 2 + len(lines)
    assert sum("not measured: give --checkpoint and --data-root" in line for line in table) == 5
    assert sum("torch-compile fp32 was not run" in line for line in table) == 1
    assert "minutes" in outcome.out


@pytest.mark.usefixtures("in_this_process")
def test_a_run_that_fails_leaves_the_others(hrnet, pose_config: Path, workplace: Path, monkeypatch):
    _tiny(pose_config, monkeypatch)

    def fail(job):
        if "W18, torch fp32" in [one.name for one in job.subjects]:
            raise LaunchError("a process of the benchmark", found="exit status 137")
        return perform(job)

    monkeypatch.setattr("hrnet_plugin.bench.session.run_process", fail)
    rows = ("--rows", "inference-torch,growth")
    monkeypatch.setitem(catalogue.SUITES["targets"].plans, "growth", catalogue.SUITES["targets"].plans["batch-1"])
    outcome = hrnet("bench", "--suite", "targets", *rows, *FAST, "--out", "out")
    assert outcome.status == 0, outcome.err
    assert "not measured: a process of the benchmark: found exit status 137" in outcome.out
    assert "torch fp32 |" in outcome.out
    # A look at a config tells of that config, whatever the folder holds besides.
    outcome = hrnet("bench", pose_config, *FAST, "--sizes", "64x64", "--out", "out")
    assert outcome.status == 0, outcome.err
    assert "torch fp32" in outcome.out
    assert "| what |" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "config 'nonsense': found no such file"),
        ([], "hrnet bench: found neither, expected configs, or --suite targets"),
        (["POSE", "--suite", "targets"], "hrnet bench: found both"),
        (["POSE", "--runtimes", "openvin"], "--runtimes openvin: found not known. Did you mean 'openvino'?"),
        (
            ["POSE", "--precisions", "int8"],
            "--precisions int8: found not computed by torch, expected a runtime of onnx",
        ),
        (["POSE", "--repeats", 0], "--repeats: found 0, expected a whole number of at least 1"),
        (["POSE", "--processes", 0], "--processes: found 0"),
        (["POSE", "--sizes", "wide"], "--sizes: found 'wide', expected WIDTHxHEIGHT in pixels, as in 192x256"),
        (["POSE", "--sizes", "72x64", "--against", "mmpose"], "--sizes 72x64: found a size that does not fit"),
        (["POSE", "--batches", ","], "--batches: found none, expected at least one, separated by commas"),
        (["POSE", "--precisions", ","], "--precisions: found none"),
        (["POSE", "--rows", "a"], "--rows with configs: found something that would not be read"),
        (["--suite", "targets", "--sizes", "64x64"], "--sizes with --suite targets: found something that would not"),
        (["--from", "x.json", "POSE"], "CONFIG with --from x.json: found something that would not be read"),
        (["--from", "x.json", "--quick"], "--quick with --from x.json: found something that would not be read"),
        (["--from", "x.json", "--threads", 3], "--threads with --from x.json: found something that would not be read"),
        (["POSE", "--remark", "Busy."], "--remark: found no page to write it on. Give --page FILE, too"),
        (["POSE", "--page", "page.txt"], "--page page.txt: found another ending, expected a .md file"),
        (["POSE", "--batches", "few"], "--batches: found 'few', expected whole numbers"),
        (["POSE", "--against", "torchvision"], "--against torchvision: found not known"),
        (["POSE", "--checkpoint", "absent.pth"], "--checkpoint absent.pth: found no such file"),
        (["POSE", "--device", "cuda"], "--device cuda: found no CUDA device"),
        (["--suite", "target"], "--suite target: found no such suite. Did you mean 'targets'?"),
        (["--suite", "gpu"], "--suite gpu: found --device cpu, expected --device cuda"),
        (["--suite", "targets", "--rows", "a"], "--rows a: found no such row"),
        (["--suite", "targets", "--checkpoint", "absent.pth"], "--checkpoint absent.pth: found no such file"),
        (["--suite", "targets", "--data-root", "."], "--data-root .: found no annotations/person_keypoints_test.json"),
        (["--from", "absent.json"], "results absent.json: found No such file or directory"),
    ],
)
def test_bad_input(refused, pose_config: Path, arguments, words):
    assert words in refused("bench", *(pose_config if word == "POSE" else word for word in arguments))
    assert not Path("work_dirs").exists()


def test_broken_results(refused, workplace: Path):
    (workplace / "results.json").write_text(json.dumps({"runs": []})[:-1])
    assert "results results.json: found broken JSON" in refused("bench", "--from", "results.json")


def test_another_framework_s_config(refused, in_this_process, seg_config: Path):
    line = refused("bench", seg_config, "--against", "mmpose", *FAST, "--out", "out")
    assert "--against mmpose: found a config of mmseg, expected mmpose" in line


def test_against_something_that_is_not_installed(refused, in_this_process, monkeypatch):
    monkeypatch.setattr("hrnet_plugin.bench.upstream.importlib.util.find_spec", lambda name: None)
    config = project_dir("configs") / "quickstart_pose.py"
    line = refused("bench", config, "--against", "timm", "--sizes", "64x64", *FAST, "--out", "out")
    assert "timm: found not installed. Install it with `pip install timm --no-deps`" in line


def test_a_runtime_that_is_not_installed(refused, in_this_process, pose_config: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    line = refused("bench", pose_config, "--runtimes", "openvino", *FAST, "--out", "out")
    assert "openvino fp32 cannot be measured" in line
    assert "`pip install openvino`" in line
