"""The page: ratios first, the machine stated, never older than its JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrnet_plugin.bench.page import render_page
from hrnet_plugin.bench.results import Report, TargetLine, read_report
from hrnet_plugin.bench.session import page_text, write_page


def test_ratios_come_before_times_and_the_machine_is_stated(report: Report):
    line = TargetLine("a", "what is wanted", "2 times", 2.0)
    page = render_page(replace(report, targets=(line,), remarks=("The machine was busy.",)))
    places = [page.index(text) for text in ("what is wanted", "| times faster |", "| ms |", "## The machine")]
    assert places == sorted(places)
    for stated in ("A processor", "avx2", "torch 2.13.0", "2 CPU threads", "Median of 2 processes", "machine was busy"):
        assert stated in page
    assert "ncnn: not installed" in page


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
    assert report.targets
    assert report.machine.device == "" or all(run.device == "cuda" for run in report.runs)
