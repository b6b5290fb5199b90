"""`hrnet zoo list`: the models of the index, a line each."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.index import ZooModel, read_index
from hrnet_plugin.published.rows import as_row, lead_metric

_ABOUT = (
    "List the published models: name, data set, input, parameters in 10^6, multiply-accumulates in 10^9, and the "
    "first of the published metrics. Filters match parts of words; several must all match."
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `list` to the commands of `hrnet zoo`."""
    parser = commands.add_parser("list", help="list the published models", description=_ABOUT)
    parser.add_argument("--task", metavar="TEXT", help="such as body, segmentation")
    parser.add_argument("--dataset", metavar="TEXT", help="such as coco, cityscapes")
    parser.add_argument("--arch", metavar="TEXT", help="family or part of the name, such as dekr, w32")
    parser.add_argument("--name", metavar="TEXT", help="part of the name")
    parser.add_argument("--json", action="store_true", help="print whole rows as JSON")
    parser.set_defaults(zoo=run_list)


def run_list(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        ConfigError: no model matches.
    """
    asked = {"task": args.task, "dataset": args.dataset, "arch": args.arch, "name": args.name}
    asked = {field: text for field, text in asked.items() if text}
    found = [model for model in read_index() if _matches(model, asked)]
    if not found:
        words = " ".join(f"--{field} {text}" for field, text in asked.items())
        raise ConfigError(f"zoo list {words}", found="no model", do="`hrnet zoo list` names all")
    if args.json:
        print(json.dumps([as_row(model) for model in found], indent=1))
    else:
        _print(found)
    return 0


def _matches(model: ZooModel, asked: dict[str, str]) -> bool:
    fields = {
        "task": [*model.tasks, model.config.parents[1].name],
        "dataset": [result.dataset for result in model.results],
        "arch": [model.family, model.name],
        "name": [model.name],
    }
    return all(any(_plain(text) in _plain(word) for word in fields[field]) for field, text in asked.items())


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _print(models: Sequence[ZooModel]) -> None:
    rows = [("name", "data set", "input", "10^6", "10^9", "published", "")]
    for model in models:
        data = model.metadata
        metric = lead_metric(model)
        size, macs = data.get("Input Size", "-"), data.get("MACs (10^9)")
        parameters = f"{data['Parameters'] / 10**6:.2f}" if "Parameters" in data else "-"
        value = f"{metric} {model.results[0].metrics[metric]:g}" if metric else "-"
        rows.append(
            (
                model.name,
                model.dataset,
                size,
                parameters,
                f"{macs:#.4g}" if macs else "-",
                value,
                "*" * bool(model.remark),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in (3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    remarks = sum(bool(model.remark) for model in models)
    print(f"{len(models)} models" + (f", {remarks} with a remark (*): hrnet zoo show NAME" if remarks else ""))
