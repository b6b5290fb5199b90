"""`python -m hrnet_plugin.bench.worker JOB OUTCOME`: one process of a benchmark, from JSON to JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..errors import UserError
from .records import from_plain, to_plain
from .subjects import Job


def main(job_file: str, outcome_file: str) -> int:
    """Does the work that a file describes and writes what was found; returns the exit status.

    A mistake in the input is written as `{"error": ...}`; anything else leaves its trace on stderr.
    """
    import hrnet_plugin  # noqa: F401  (the fixes stand before a framework is imported)

    job = from_plain(Job, json.loads(Path(job_file).read_text(encoding="utf-8")), "job")
    from .measuring import perform

    try:
        found = to_plain(perform(job))
    except UserError as error:
        fields = {name: None if (value := getattr(error, name)) is None else str(value) for name in _FIELDS}
        found = {"error": {"kind": type(error).__name__, **fields}}
    Path(outcome_file).write_text(json.dumps(found), encoding="utf-8")
    return 0


_FIELDS = ("what", "found", "expected", "do")

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
