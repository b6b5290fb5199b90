"""Runs a part of the suite in each environment of the support table, and keeps what came of it in docs/support.json."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support_environments import ROOT, CannotBeMade, Environment, found_versions, make

RECORDS = ROOT / "docs/support.json"
#: A file that cannot be imported is one failure, and the others are run.
PYTEST = ("-p", "no:cacheprovider", "--continue-on-collection-errors")
#: How many reasons of failures are kept, and how long each may be.
_REASONS, _LENGTH = 4, 160


@dataclass(frozen=True)
class Record:
    """What came of one run.

    Args:
        name: Of the environment.
        date: Day of the run.
        versions: Python's and the packages', as found in the environment; empty where it could not be made.
        tests: What of the suite was run.
        passed, failed, skipped: Numbers of tests; a file that cannot be imported counts as one that failed.
        reasons: Why tests failed, the first line of each, by the number of tests.
        not_run: Why nothing was run; '' where something was.
    """

    name: str
    date: str
    versions: dict[str, str] = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    not_run: str = ""


def read(path: Path = RECORDS) -> dict[str, Record]:
    """The records by the names of their environments."""
    if not path.exists():
        return {}
    return {row["name"]: Record(**row) for row in json.loads(path.read_text(encoding="utf-8"))}


def keep(record: Record, path: Path = RECORDS) -> None:
    """Puts a record in the place of the one of the same name."""
    from hrnet_plugin.disk import write_whole

    rows = {**read(path), record.name: record}
    text = json.dumps([dataclasses.asdict(row) for row in rows.values()], indent=1, ensure_ascii=False)
    write_whole(f"{text}\n".encode(), path)


def run(environment: Environment, base: Path, full: Path, pythons: Mapping[str, str]) -> Record:
    """Makes an environment, runs its part of the suite there, and removes it again."""
    today = datetime.date.today().isoformat()
    with tempfile.TemporaryDirectory(prefix="hrnet_support_") as folder:
        try:
            python = make(environment, Path(folder) / "venv", base, full, pythons)
        except CannotBeMade as error:
            return Record(environment.name, today, not_run=_without_paths(str(error)))
        report = Path(folder) / "report.xml"
        told = _test(python, environment.tests, report)
        if not report.exists():
            return Record(environment.name, today, found_versions(python), not_run=f"pytest did not end: {told}")
        return Record(environment.name, today, found_versions(python), list(environment.tests), **counts(report))


def counts(report: Path) -> dict[str, int | dict[str, int]]:
    """Passed, failed and skipped tests of a JUnit report, and the reasons of those that failed."""
    found: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        wrong = next((child for child in case if child.tag in ("failure", "error")), None)
        kind = "failed" if wrong is not None else "skipped" if case.find("skipped") is not None else "passed"
        found[kind] += 1
        if wrong is not None:
            reasons[reason(wrong.get("message") or "", wrong.text or "")] += 1
    return {
        **{kind: found[kind] for kind in ("passed", "failed", "skipped")},
        "reasons": dict(reasons.most_common(_REASONS)),
    }


def reason(message: str, text: str) -> str:
    """One line that says why a test failed: of a file that cannot be imported, the exception at the end."""
    if message == "collection failure" or not message:
        ends = re.findall(r"^E\s+(\S.*)$", text, re.MULTILINE)
        message = ends[-1] if ends else message
    line = _without_paths(" ".join(message.split()))
    return line if len(line) <= _LENGTH else f"{line[:_LENGTH].rstrip()} ..."


def _test(python: Path, tests: Sequence[str], report: Path) -> str:
    """Runs pytest; returns its last words."""
    environment = {
        **{key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")},
        **{"OMP_NUM_THREADS": "1", "PYTHONNOUSERSITE": "1"},
    }
    command = [str(python), "-m", "pytest", "-q", *PYTEST, "-m", "not slow", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, *tests], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3600, check=False
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    return _without_paths(lines[-1]) if lines else ""


def _without_paths(text: str) -> str:
    """A text without what is of this machine: absolute paths keep their last two parts."""
    return re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+([\w.+-]+/[\w.+-]+)", r"\1", text)
