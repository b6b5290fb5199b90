"""`hrnet zoo show`: everything that the index says of a model."""

from __future__ import annotations

import argparse
import json
import textwrap

from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.published.index import ZooModel, find_model, read_index, read_short_names
from hrnet_plugin.published.rows import as_row

_ABOUT = "Show everything that the index says of models: config, figures, published results, weights, remarks."
_WIDTH = 100


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `show` to the commands of `hrnet zoo`."""
    parser = commands.add_parser("show", help="show what was published of a model", description=_ABOUT)
    parser.add_argument("models", nargs="+", metavar="NAME", help="models by name, by config or by short name")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(zoo=run_show)


def run_show(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        ConfigError: there is no such model; suggests the nearest names.
    """
    index, short = read_index(), read_short_names()
    named = {name: entry["Model"] for name, entry in short.items() if "Model" in entry}
    chosen = [find_model(named.get(name.removesuffix(".py").rpartition("/")[2], name), index) for name in args.models]
    rows = [as_row(model) | {"Stored": _stored(model)} for model in chosen]
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        remark = row.pop("Remark", "")
        from hrnet_plugin.published.yaml_text import to_yaml

        print(to_yaml(row), end="")
        if remark:
            print("\n" + textwrap.fill(f"Remark: {remark}", _WIDTH, subsequent_indent="  ", break_long_words=False))
        print()
    return 0


def _stored(model: ZooModel) -> str:
    """Whether the local store has the weights."""
    from hrnet_plugin.published.sources import find_source
    from hrnet_plugin.published.store import find_stored

    if model.weights is None:
        return "no weights were published"
    try:
        path = find_stored(find_source(f"hrnet://{model.name}"))
    except CheckpointError as error:
        return str(error)
    return str(path) if path else f"no; hrnet zoo fetch {model.name}"
