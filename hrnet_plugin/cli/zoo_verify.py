"""`hrnet zoo verify`: the proof that configs are the published models that they stand for."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrnet_plugin.zoo.report import Verdict

_ABOUT = (
    "Compare configs with those of the installed frameworks: the same when resolved; with shared weights the same "
    "prediction and loss on generated data; one training step for each kind of task, head and data set."
)
#: Those of `hrnet_plugin.zoo.report`, which needs torch.
_STEPS = ("resolved", "forward", "trained")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `verify` to the commands of `hrnet zoo`."""
    parser = commands.add_parser("verify", help="compare configs with the frameworks' own", description=_ABOUT)
    parser.add_argument("models", nargs="*", metavar="NAME", help="models by name; all of the zoo by default")
    parser.add_argument(
        "--steps",
        type=_read_steps,
        action="extend",
        metavar="STEP[,STEP]",
        help=f"of {', '.join(_STEPS)}; all by default",
    )
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    parser.set_defaults(zoo=run_verify)


def _read_steps(text: str) -> list[str]:
    """Steps with commas between them, so that names may follow."""
    steps = text.split(",")
    unknown = [step for step in steps if step not in _STEPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"found {unknown[0]!r}, expected {', '.join(_STEPS)} with commas between them")
    return steps


def run_verify(args: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0, or 1 where a check did not pass.
    """
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
