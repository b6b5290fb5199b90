"""Findings: one line each, worst first, counted."""

from __future__ import annotations

from hrnet_plugin.findings import ERROR, NOTE, Finding, as_text, errors_in, tally, worst_first

WRONG = Finding(ERROR, "head-channels", "model.head.in_channels", "64", "32", "Set it to 32")
ODD = Finding(NOTE, "unannotated", "train", "3 images without\nannotations", count=3, examples=("a.jpg", "b.jpg"))


def test_a_finding_is_one_line():
    assert WRONG.line() == "model.head.in_channels: found 64, expected 32. Set it to 32"
    assert ODD.line() == "train: found 3 images without annotations"


def test_worst_first_and_counted():
    assert worst_first([ODD, WRONG]) == [WRONG, ODD]
    assert errors_in([ODD, WRONG]) == [WRONG]
    assert tally([ODD, WRONG, ODD]) == "1 error, 2 notes"
    assert tally([]) == "no findings"


def test_the_text_has_examples_below_their_finding():
    lines = as_text([ODD, WRONG]).splitlines()
    assert [line.split()[0] for line in lines] == ["error", "note", "a.jpg", "b.jpg", "1"]


def test_plain_values_hold_everything():
    assert Finding(**{**ODD.to_plain(), "examples": tuple(ODD.to_plain()["examples"])}) == ODD
