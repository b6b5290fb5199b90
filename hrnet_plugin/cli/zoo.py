"""`hrnet zoo`: the published models that this package has configs for, and the proof that they are the same ones."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import zoo_fetch

if TYPE_CHECKING:
    from hrnet_plugin.zoo.report import Verdict

HELP = "check the configs against the published models that they stand for"
_VERIFY = (
    "Compare configs with those of the installed frameworks: the same when resolved; with shared weights the same "
    "prediction and loss on generated data; one training step for each kind of task, head and data set."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of `hrnet zoo`."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = commands.add_parser("verify", help="compare configs with the frameworks' own", description=_VERIFY)
    verify.add_argument("models", nargs="*", metavar="NAME", help="models by name; all of the zoo by default")
    verify.add_argument("--steps", nargs="+", choices=("resolved", "forward", "trained"), help="all by default")
    verify.add_argument("--json", action="store_true", help="print the whole report as JSON")
    verify.set_defaults(zoo=_verify)
    zoo_fetch.add_to(commands)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0, or 1 where a check did not pass.
    """
    return args.zoo(args)


def _verify(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hrnet_plugin.published.index import find_model, read_index
    from hrnet_plugin.zoo.report import STEPS, report
    from hrnet_plugin.zoo.verify import Verifier

    index = read_index()
    chosen = [find_model(name, index) for name in args.models] or list(index)
    with tempfile.TemporaryDirectory() as folder:
        verifier = Verifier(Path(folder), args.steps or STEPS)
        verdicts = list(tqdm(verifier.verify(chosen), total=len(chosen), unit="model", disable=None))
    if args.json:
        print(json.dumps(report(verdicts), indent=1))
    else:
        _print(verdicts)
    return int(any(verdict.failed for verdict in verdicts))


def _print(verdicts: Sequence[Verdict]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from hrnet_plugin.zoo.report import FAILED, NEEDS_MMCV, PASSED, STEPS, environment, report

    console = Console(highlight=False)
    for verdict in verdicts:
        for finding in verdict.findings if verdict.failed else ():
            console.print(f"{verdict.name}: {finding}", markup=False, soft_wrap=True)
    differences = report(verdicts)["largest_difference"]
    table = Table(title=f"{len(verdicts)} models, {environment()}", box=box.SIMPLE)
    for column in ("framework", "models", *STEPS, "largest difference"):
        table.add_column(column, justify="left" if column == "framework" else "right")
    for framework in sorted({verdict.framework or "none" for verdict in verdicts}):
        own = [verdict for verdict in verdicts if (verdict.framework or "none") == framework]
        cells = []
        for step in STEPS:
            states = [getattr(verdict, step) for verdict in own]
            counts = [f"{states.count(state)} {state}" for state in (PASSED, FAILED, NEEDS_MMCV) if state in states]
            cells.append("\n".join(counts) or "-")
        table.add_row(framework, str(len(own)), *cells, str(differences.get(framework, "-")))
    console.print(table)
