"""`hrnet zoo`: the published models that this package has configs for."""

from __future__ import annotations

import argparse

from . import zoo_fetch, zoo_list, zoo_page, zoo_show, zoo_verify

HELP = "list the published models, fetch their weights, check the configs that stand for them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of `hrnet zoo`."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (zoo_list, zoo_show, zoo_fetch, zoo_verify, zoo_page):
        command.add_to(commands)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0, or 1 where a check did not pass.
    """
    return args.zoo(args)
