"""What the sections of a task show, and what they fold or leave out where there is much."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hrnet_plugin.reports.page import Page
from hrnet_plugin.reports.test_report.charts import KIND_COLOURS, ScoreBins, confusion_figure, stacked_figure


@pytest.fixture
def shown():
    """The page of a task's numbers, as text."""

    def show(task) -> str:
        page = Page("Test")
        task.add_to(page, {})
        return page.html().decode()

    return show


def cells(html: str, first: str) -> list[str]:
    """The cells of the row that begins with `first`."""
    row = re.search(rf"<tr>\s*<td[^>]*>{re.escape(first)}</td>(.*?)</tr>", html, re.DOTALL)
    return re.findall(r"<td[^>]*>([^<]*)</td>", row[1])


def test_rows_of_keypoints(shown, pose_numbers):
    html = shown(pose_numbers())
    assert cells(html, "nose") == ["10", "71.0 %", "80.0 %", "5.0 %", "2.5", "0.66"]
    assert cells(html, "left_eye") == ["0", "-", "-", "-", "-", "-"]
    assert cells(html, "left_eye / right_eye") == ["10", "-", "10.0 %", "10.0 %"]
    assert cells(html, "all") == ["", "10", "0.700", "80.0 %", "50.0 %", "0.627", "0.632"]
    assert cells(html, "small") == ["0 to 1024", "0", "-", "-", "-", "-", "-"]
    assert "PCK" not in html


def test_pck_where_the_evaluator_has_a_threshold(shown, pose_numbers):
    html = shown(pose_numbers(threshold=0.2))
    assert ">PCK@0.2</th>" in html
    assert cells(html, "nose")[-1] == "62.5 %"


def test_many_keypoints_are_folded_and_the_worst_plotted(shown, pose_numbers):
    html = shown(pose_numbers(names=tuple(f"point_{index}" for index in range(133))))
    assert "<summary>All 133 keypoints</summary>" in html
    assert "the 40 with the fewest good ones" in html
    assert len(html) < 2e6


def test_matrices_are_written_drawn_or_left_out_by_their_size(shown, mask_numbers):
    few, more, many = (shown(mask_numbers(classes)) for classes in (3, 100, 300))
    assert 'class="shade' in few
    assert "True class in rows" in few
    assert 'class="shade' not in more
    assert "True class in rows" in more
    assert "True class in rows" not in many
    assert all("The 1 most frequent mistakes" in html for html in (few, more, many))
    assert "class &lt;0&gt;" in few


def test_rows_of_classes(shown, mask_numbers, label_numbers):
    assert cells(shown(mask_numbers(4)), "class &lt;0&gt;")[:5] == ["61.2 %", "80.0 %", "-", "25.0 %", "25.0 %"]
    assert cells(shown(label_numbers(4)), "class &lt;1&gt;") == ["10", "25.0 %", "50.0 %", "70.0 %"]
    assert "The 60 least accurate of 300 classes" in shown(label_numbers(300))


def test_without_logits_there_is_no_section_of_confidence(shown, mask_numbers):
    assert ">Confidence</h2>" not in shown(replace(mask_numbers(3), confidence=None))


@pytest.mark.parametrize(
    ("error", "bias", "words"),
    [(0.02, 0.01, "can be read as the chance"), (0.2, 0.2, "promise too much"), (0.2, -0.2, "promise too little")],
)
def test_the_note_says_what_scores_are_worth(error, bias, words):
    scores = ScoreBins("persons", "score", (1,), (1,), (0.5,), (0.5,), error, bias)
    assert f"Scores of persons {words}" in scores.note()
    assert "no persons with a score" in replace(scores, error=float("nan")).note()


def test_bars_are_as_long_as_the_shares():
    axes = stacked_figure(["a", "b"], np.array([[0.5, 0.25], [0.1, np.nan]]), ["good", "miss"], "share").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.1, 0.25, 0.0]
    assert [bar.get_x() for bar in axes.patches] == [0, 0, 0.5, 0.1]


def test_a_matrix_has_true_classes_from_top_to_bottom():
    axes = confusion_figure(np.array([[1, 0], [0.5, np.nan]]), ["a", "b"]).axes[0]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.collections[0].get_array().ravel().tolist() == [1, 0, 0.5, 0]


def test_every_kind_of_error_has_a_colour_of_its_own():
    from hrnet_plugin.analysis.pose_errors import KINDS

    assert set(KINDS) < set(KIND_COLOURS)
    assert len(set(KIND_COLOURS.values())) == len(KIND_COLOURS)
