"""The page: ratios first, the machine stated, never older than its JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hrnet_plugin.bench.page import render_page
from hrnet_plugin.bench.publishing import check_page, page_text, write_page
from hrnet_plugin.bench.results import Measured, Report, TargetLine, read_report
from hrnet_plugin.bench.subjects import Network, Subject
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.locations import project_dir


def test_ratios_come_before_times_and_the_machine_is_stated(report: Report):
    line = TargetLine("a", "what is wanted", "2 times", 2.0)
    page = render_page(replace(report, targets=(line,), remarks=("The machine was busy.",)))
    places = [page.index(text) for text in ("what is wanted", "| times faster |", "| ms |", "## The machine")]
    assert places == sorted(places)
    for stated in ("A processor", "avx2", "torch 2.13.0", "2 CPU threads", "Median of 2 processes", "machine was busy"):
        assert stated in page
    assert "ncnn: not installed" in page


def test_ratios_say_what_they_are_against(report: Report):
    (run,) = report.runs
    assert "Times faster than mmpose eager:" in render_page(report)
    first, ours, *_ = run.measured

    def larger(one: Measured) -> Measured:
        network = replace(one.subject.network, size=(384, 512))
        reference = one.subject.reference and network
        return replace(one, subject=replace(one.subject, name="large", network=network, reference=reference))

    several = replace(run, measured=(*run.measured, larger(first), larger(ours)))
    assert several.baseline_of(several.measured[-1]).subject.name == "large"
    page = render_page(replace(report, runs=(several,)))
    assert "Times faster than the eager network on the same images:" in page


def test_a_page_names_no_folder_of_the_machine(report: Report, tmp_path):
    own = project_dir("configs") / "hrnet_w32_coco.py"
    networks = [
        Network(str(own), checkpoint=str(tmp_path / "w32.pth")),
        Network(str(tmp_path / "mine.py")),
        Network("mmpose::a/b.py"),
    ]
    (run, *_) = report.runs
    subjects = [Subject(str(index), one, networks[0]) for index, one in enumerate(networks)]
    measured = tuple(replace(run.measured[0], subject=subject) for subject in subjects)
    left_out = Measured(
        replace(subjects[0], name="other"), refused=f"it failed (see {tmp_path}/a/worker.log), 3 images/s"
    )
    line = TargetLine("a", "what", "2 times", note=f"its words are in {tmp_path}/a/said.log")
    whole = replace(report, runs=(replace(run, measured=(*measured, left_out)),), targets=(line,))
    write_page(whole, tmp_path / "page.md")
    assert "it failed (see worker.log), 3 images/s" in (tmp_path / "page.md").read_text()
    found = read_report(tmp_path / "page.json").runs[0].measured
    found = found[:3]
    assert [one.subject.network.config for one in found] == ["configs/hrnet_w32_coco.py", "mine.py", "mmpose::a/b.py"]
    assert {one.subject.reference.checkpoint for one in found} == {"w32.pth"}
    for file in ("page.json", "page.md"):
        assert str(tmp_path) not in (tmp_path / file).read_text()


@pytest.mark.parametrize(
    ("page", "source", "line"),
    [
        ("page.txt", None, "--page .*page.txt: found another ending, expected a .md file"),
        ("a_folder", None, "--page .*a_folder: found a folder, expected a .md file"),
        ("results.md", None, "found a name whose .json is .*results.json"),
        ("page.md", "page.md", "--from .*page.md: found another ending"),
    ],
)
def test_a_page_replaces_no_results(page, source, line, tmp_path):
    (tmp_path / "a_folder").mkdir()
    with pytest.raises(ConfigError, match=line):
        check_page(tmp_path / page, tmp_path, Path(source) if source else None)


def test_a_page_is_written_with_its_results_and_pictures(report: Report, tmp_path):
    files = write_page(report, tmp_path / "speed.md")
    assert [path.name for path in files] == ["speed.md", "speed.json", "time-per-stage-and-branch-batch-1.png"]
    assert read_report(files[1]) == report
    text = files[0].read_text()
    assert text == page_text(report, files[0])
    assert "](speed/time-per-stage-and-branch-batch-1.png)" in text


@pytest.fixture
def published(project_root):
    return project_root / "docs" / "performance.md"


def test_the_published_page_is_that_of_its_results(published):
    report = read_report(published.with_suffix(".json"))
    assert published.read_text(encoding="utf-8") == page_text(report, published), "hrnet bench --from ... --page ..."
    assert report.runs
    for file in (published, published.with_suffix(".json")):
        assert not re.findall(r"(?<![\w.:)])/(?:[\w.+~-]+/)+", file.read_text(encoding="utf-8")), file
    assert report.targets
    assert report.machine.device == "" or all(run.device == "cuda" for run in report.runs)
