"""`hrnet zoo`: the published models that this package has configs for, and the proof that they are the same ones."""

from __future__ import annotations

import argparse
import json
import sys

HELP = "check that the configs are the published models"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of `hrnet zoo`."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = commands.add_parser("verify", help=_VERIFY, description=_VERIFY)
    verify.add_argument("models", nargs="*", metavar="NAME", help="models or configs; all of the zoo by default")
    verify.add_argument("--json", action="store_true", help="print the whole report as JSON")
    verify.set_defaults(run_zoo=_verify)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command; 1 where a check did not pass."""
    return args.run_zoo(args)


_VERIFY = "compare configs with the installed frameworks' own: resolved"


def _verify(args: argparse.Namespace) -> int:
    from mmengine.config import Config

    from hrnet_plugin.zoo.index import find_model, read_index
    from hrnet_plugin.zoo.resolve import differences, upstream_path

    index = read_index()
    chosen = [find_model(name, index) for name in args.models] or list(index)
    bad = 0
    for model in chosen:
        if model.upstream is None:
            continue
        if not model.config.is_file():
            print(f"{model.name}: no config", file=sys.stderr)
            bad += 1
            continue
        try:
            lines = differences(Config.fromfile(str(model.config)), Config.fromfile(str(upstream_path(model))))
        except Exception as error:
            lines = [f"{type(error).__name__}: {error}"]
        bad += bool(lines)
        for line in lines:
            print(f"{model.name}: {line}")
    print(json.dumps({"models": len(chosen), "resolved": len(chosen) - bad}))
    return int(bad > 0)
