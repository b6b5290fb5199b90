"""`hrnet inspect`: a look into a network."""

from __future__ import annotations

import argparse

from . import inspect_complexity, inspect_features, inspect_health, inspect_profile

HELP = "look into a network: what its parts cost, what flows through them, where the time goes, whether they are alive"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of `hrnet inspect`."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (inspect_complexity, inspect_features, inspect_profile, inspect_health):
        command.add_to(commands)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0, or 1 where health has found an error.
    """
    return args.inspect(args)
