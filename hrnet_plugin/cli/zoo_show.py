"""`hrnet zoo show`: everything that the index says of a model."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Mapping

from hrnet_plugin.errors import CheckpointError, ConfigError
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
    chosen = [find_model(_full_name(name, short), index) for name in args.models]
    rows = [as_row(model) | {"Stored": _stored(model)} for model in chosen]
    from hrnet_plugin.published.yaml_text import to_yaml

    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        remark = row.pop("Remark", "")
        print(to_yaml(row), end="")
        if remark:
            print("\n" + textwrap.fill(f"Remark: {remark}", _WIDTH, subsequent_indent="  ", break_long_words=False))
        print()
    return 0


def _full_name(name: str, short: Mapping[str, Mapping[str, str]]) -> str:
    """The model that a short name stands for; any other name as it is."""
    entry = short.get(name.removesuffix(".py").rpartition("/")[2], {})
    if "About" in entry:
        found = f"a config of our own, {entry['About']}"
        raise ConfigError(f"model {name!r}", found=found, expected="a published one: `hrnet zoo list`")
    return entry.get("Model", name)


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
