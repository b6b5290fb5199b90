"""A report is a page and its numbers, in one folder, beside whatever else lies there."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.reports.test_report.report import Example, Report, check_report_folder

METRICS = {"coco/AP": np.float64(0.627063), "coco/AP .5": 0.84158, "coco/AP (L)": -1.0}


@pytest.fixture
def report(task) -> Report:
    drawn = [Example(np.zeros((4, 6, 3), np.uint8), "OKS <0.1>")] * 2
    examples = {"worst": drawn, "best": drawn, "mistakes": drawn}
    return Report("Test of <x>", {"config": "x.py"}, METRICS, task, ["One part <is> missing."], examples)


@pytest.fixture
def plain_report(label_numbers) -> Report:
    """One without pictures."""
    return Report("Test", {}, METRICS, label_numbers(3))


def test_the_page_has_the_metrics_and_every_section(report):
    html = report.page().html().decode()
    assert "<div><b>0.6271</b><span>coco/AP</span></div>" in html
    assert "writes -1 where there is nobody" in html
    sections = re.findall(r"<h2[^>]*>([^<]+)</h2>", html)
    assert sections[0] == "Metrics"
    assert sections[-1] == "Not shown"
    assert len(sections) >= 6
    assert "One part &lt;is&gt; missing." in html
    assert 'alt="OKS &lt;0.1&gt;"' in html
    assert "<script" not in html
    assert "nan" not in re.sub(r'src="[^"]*"', "", html)


def test_page_and_numbers_have_the_same_values(report, tmp_path):
    page = report.write(tmp_path / "new" / "report")
    assert page == tmp_path / "new" / "report" / "index.html"
    plain = json.loads((page.parent / "report.json").read_text())
    assert plain["metrics"]["coco/AP"] == 0.627063
    assert plain["about"] == {"config": "x.py"}
    assert plain["missing"] == ["One part <is> missing."]
    result = plain["result"]
    assert result["images"] == report.task.images
    html = page.read_text(encoding="utf-8")
    shares = [row.get("iou") or row.get("similarity") or row.get("precision") for row in _rows(result)]
    assert f"{100 * shares[0]:.1f} %" in html


def _rows(result: dict) -> list[dict]:
    return result["keypoints"] if "keypoints" in result else result["classes"]


def test_what_is_no_number_is_null(report, tmp_path):
    text = (report.write(tmp_path).parent / "report.json").read_text()
    assert "NaN" not in text
    assert "null" in text


def test_a_second_report_replaces_the_first_and_nothing_else(plain_report, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    for _ in range(2):
        check_report_folder(tmp_path)
        plain_report.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "folder", "index.html", "report.json"}
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["index.html", "report.json"])
def test_files_of_others_are_not_overwritten(name, tmp_path):
    (tmp_path / name).write_text("somebody's")
    with pytest.raises(ConfigError, match=rf"--report .*: found a {name} that is not of an earlier report\. Name an"):
        check_report_folder(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match=f"found a folder {name} in it"):
        check_report_folder(tmp_path)


def test_pages_of_any_of_ours_may_be_replaced_but_binary_files_not(plain_report, tmp_path):
    plain_report.write(tmp_path)
    check_report_folder(tmp_path)
    (tmp_path / "index.html").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(ConfigError):
        check_report_folder(tmp_path)


def test_a_file_that_cannot_be_written_is_one_line(plain_report, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"found .*, expected a file that can be written"):
        plain_report.write(tmp_path / "file")


def test_a_test_that_measured_nothing_says_so():
    html = Report("Test", {}, {}, None, ["Poses: no truth."]).page().html().decode()
    assert "It measured nothing" in html
    assert "Poses: no truth." in html


def test_a_browser_shows_it(pose_numbers, browser, tmp_path):
    drawn = [Example(np.zeros((4, 6, 3), np.uint8), "OKS 0.1")]
    report = Report("Test of poses", {"config": "x.py"}, METRICS, pose_numbers(), (), {"worst": drawn, "best": drawn})
    page = report.write(tmp_path)
    dom = browser.dump_dom(page)
    assert dom.count("<img") == page.read_text(encoding="utf-8").count("<img") > 5
    assert "<td>nose</td>" in dom
    shown = np.asarray(browser.screenshot(page, (1000, 700)))
    assert (shown.std((0, 1)) > 5).all()
