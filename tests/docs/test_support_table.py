"""The support table says what was run, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support_environments import ENVIRONMENTS, NOT_RUN, Environment
from support_runs import PYTEST, Record, counts, keep, read, reason, run
from support_table import page

REFERENCE = Record(
    "as tested", "2026-01-02", {"python": "3.11.7", "torch": "2.13.0", "mmcv-lite": "2.1.0"}, ["tests/a"], 9
)

SOME_TESTS = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_n(n):
    assert n < 2

def test_skipped():
    pytest.skip("why")

@pytest.fixture
def broken():
    raise KeyError("lost")

def test_set_up(broken):
    pass
"""


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of each row of a page's tables, by the first."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for line in lines if (cells := line.strip("| ").split(" | "))}


def test_the_page_is_written_from_the_records(docs):
    records = read()
    assert {environment.name for environment in ENVIRONMENTS} == set(records)
    assert (docs / "support.md").read_text(encoding="utf-8") == page(ENVIRONMENTS, records)
    first = records[ENVIRONMENTS[0].name]
    assert first.passed > 300
    assert not first.failed


def test_a_row_tells_what_differs_and_what_failed():
    other = Record(
        "full", "2026-01-03", {**REFERENCE.versions, "mmcv": "2.1.0"}, ["tests/a"], 7, 2, 1, {"KeyError: `x`": 2}
    )
    other.versions.pop("mmcv-lite")
    text = page([Environment("as tested"), Environment("full")], {"as tested": REFERENCE, "full": other})
    rows = rows_of(text)
    assert rows["as tested"][:4] == ["3.11.7", "2.13.0", "-", "2.1.0 lite"]
    assert rows["full"][:4] == ["3.11.7", "2.13.0", "-", "**2.1.0 full**"]
    assert rows["as tested"][-3:] == ["9", "0", "0"]
    assert rows["full"][-3:] == ["7", "2", "1"]
    assert "2 x `KeyError: 'x'`" in text
    assert "full (2026-01-03)" in text


def test_what_was_not_run_is_told_with_its_reason():
    refused = Record("refused", "2026-01-02", not_run="pip: no such version")
    environments = [Environment("as tested"), Environment("refused"), Environment("forgotten")]
    rows = rows_of(page(environments, {"as tested": REFERENCE, "refused": refused}))
    assert rows["refused"] == ["pip: no such version"]
    assert rows["forgotten"] == ["not yet"]
    assert all(rows[what] for what, _ in NOT_RUN)


def test_records_are_kept_beside_each_other(tmp_path):
    path = tmp_path / "support.json"
    keep(REFERENCE, path)
    keep(Record("other", "2026-01-02", not_run="why"), path)
    keep(Record("as tested", "2026-02-02", passed=3), path)
    assert list(read(path)) == ["as tested", "other"]
    assert read(path)["as tested"].passed == 3


def test_tests_of_a_run_are_counted(tmp_path):
    (tmp_path / "test_some.py").write_text(SOME_TESTS)
    (tmp_path / "test_gone.py").write_text("import package_that_is_not_there\n")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", *PYTEST, f"--junitxml={report}", str(tmp_path)]
    subprocess.run([*command, f"--rootdir={tmp_path}"], capture_output=True, timeout=60, check=False)
    found = counts(report)
    assert (found["passed"], found["failed"], found["skipped"]) == (2, 3, 1)
    reasons = found["reasons"]
    assert any("package_that_is_not_there" in why for why in reasons)
    assert any("lost" in why for why in reasons)
    assert any("2 < 2" in why for why in reasons)


def test_a_reason_is_one_line_without_paths():
    assert reason("AssertionError: a\n  b", "") == "AssertionError: a b"
    assert reason("", "E   first\nE   ImportError: no x") == "ImportError: no x"
    assert reason("OSError: /home/somebody/a/b/c.py is gone", "") == "OSError: b/c.py is gone"
    assert len(reason("x" * 1000, "")) < 200


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        (Environment("old", python="2.0", base=False), "there was no Python 2.0"),
        (Environment("full", full=True), "the environment of `make full` was not made"),
    ],
)
def test_an_environment_that_cannot_be_made_is_recorded(environment, why):
    record = run(environment, Path(sys.executable), Path("/nowhere/python"), {})
    assert record.not_run == why
    assert not record.passed
