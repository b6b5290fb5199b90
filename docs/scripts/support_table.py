"""The support table: versions that were run, what came of it, and what was not run and why.

    python docs/scripts/support_table.py --run [NAME ...]     # runs and keeps the results in docs/support.json
    python docs/scripts/support_table.py --write              # writes docs/support.md from what was kept

`--run` without names runs every environment of `support_environments.py`: about an hour on two cores. It takes the
environment of `make setup` as it is, that of `make full` where it was made, and makes the others for the time of their
run. Every cell of the page comes from a run, or says that none was made.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from support_environments import ENVIRONMENTS, NOT_RUN, ROOT, Environment
from support_runs import RECORDS, Record, keep, read, run

sys.path.insert(0, str(ROOT))

PAGE = ROOT / "docs/support.md"
_HEAD = """# Support

<!-- Written by `docs/scripts/support_table.py --write` from support.json: run the script, do not change this file. -->

Which versions were run together, and what came of it. `hrnet doctor` compares what you have with the first row, and
`make setup` installs it. Every other row differs from it in what is **bold**, and lacks what has a -.

## Versions that were run

"""
_PARTS = """
A run is a part of the suite ([below](#what-a-run-consists-of)): outputs, gradients and keys equal to those of the
installed frameworks, fixes for what upstream broke, checkpoints, trainings and tests by command; without torch the
descriptions of networks, the index of models and the pages alone.

"""
_COLUMNS = {
    "Python": ("python",),
    "torch": ("torch",),
    "mmengine": ("mmengine",),
    "mmcv": ("mmcv", "mmcv-lite"),
}
#: In one column: they move together.
_FRAMEWORKS = {"mmpose": "mmpose", "mmseg": "mmsegmentation", "mmdet": "mmdet", "mmpretrain": "mmpretrain"}


def page(environments: Sequence[Environment], records: Mapping[str, Record]) -> str:
    """The page.

    Args:
        environments: The rows, the one that the others are compared with first.
        records: What came of them, by name.
    """
    first = environments[0].name
    shown = [(environment, records.get(environment.name)) for environment in environments]
    reference = cells(records[first]) if first in records else []
    rows = [_row(environment, record, reference) for environment, record in shown if record and not record.not_run]
    table = _table(("", *_COLUMNS, ", ".join(_FRAMEWORKS), "passed", "failed", "skipped"), rows)
    parts = [_HEAD, table, _PARTS]
    failures = [record for _, record in shown if record and record.failed]
    if failures:
        parts += ["## What failed\n\n", *map(_failures, failures), "\n"]
    missing = [
        (environment.name, record.not_run if record else "not yet")
        for environment, record in shown
        if not record or record.not_run
    ]
    parts += ["## Not run\n\n", _table(("what", "why"), [*missing, *NOT_RUN])]
    parts += ["\n## What a run consists of\n\n", _tests(shown)]
    return "".join(parts)


def cells(record: Record) -> list[str]:
    """Versions of a record, one a column; '-' for a package that the environment does not have."""
    frameworks = ", ".join(_version(record, (name,)) for name in _FRAMEWORKS.values())
    return [*(_version(record, names) for names in _COLUMNS.values()), frameworks]


def _version(record: Record, names: Sequence[str]) -> str:
    found = [(name, record.versions[name]) for name in names if name in record.versions]
    if not found:
        return "-"
    name, version = found[0]
    return version if len(names) == 1 else f"{version} {'lite' if name.endswith('lite') else 'full'}"


def _row(environment: Environment, record: Record, reference: Sequence[str]) -> list[str]:
    found = cells(record)
    same = reference or found
    marked = [cell if cell in (usual, "-") else f"**{cell}**" for cell, usual in zip(found, same, strict=True)]
    return [environment.name, *marked, str(record.passed), str(record.failed), str(record.skipped)]


def _failures(record: Record) -> str:
    lines = [f"- {record.name}:\n"]
    lines += [f"    - {number} x `{why.replace('`', chr(39))}`\n" for why, number in record.reasons.items()]
    rest = record.failed - sum(record.reasons.values())
    return "".join([*lines, f"    - {rest} for other reasons\n"] if rest else lines)


def _tests(shown: Sequence[tuple[Environment, Record | None]]) -> str:
    """The parts of the suite, each with the environments in which it was run, by day."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for environment, record in shown:
        if record and record.tests:
            groups.setdefault(tuple(record.tests), []).append(f"{environment.name} ({record.date})")
    rows = [(", ".join(names), " ".join(f"`{test}`" for test in tests)) for tests, names in groups.items()]
    return _table(("in", "tests, but for those marked slow"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs environments, writes the page, or shows it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", nargs="*", metavar="NAME", help="environments to run; without names all of them")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    parser.add_argument(
        "--base", type=Path, default=Path(sys.executable), help="interpreter of `make setup`'s environment"
    )
    parser.add_argument("--full", type=Path, default=ROOT / ".venv-full/bin/python", help="that of `make full`'s")
    parser.add_argument("--python", action="append", default=[], metavar="VERSION=PATH", help="another interpreter")
    parser.add_argument(
        "--records", type=Path, default=RECORDS, help="where results are kept (default docs/support.json)"
    )
    args = parser.parse_args()
    names = {environment.name: environment for environment in ENVIRONMENTS}
    if unknown := set(args.run or ()) - set(names):
        parser.error(f"--run: found {', '.join(sorted(unknown))}, expected some of {', '.join(names)}")
    pythons = {version: path for version in ("3.10", "3.12", "3.13") if (path := shutil.which(f"python{version}"))}
    pythons |= dict(pair.split("=", 1) for pair in args.python)
    for name in args.run or (names if args.run is not None else ()):
        record = run(names[name], args.base, args.full, pythons)
        keep(record, args.records)
        outcome = record.not_run or f"{record.passed} passed, {record.failed} failed, {record.skipped} skipped"
        print(f"{name}: {outcome}", flush=True)
    text = page(ENVIRONMENTS, read(args.records))
    if args.write:
        PAGE.write_text(text, encoding="utf-8")
    elif args.run is None:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
