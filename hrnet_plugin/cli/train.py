"""`hrnet train`: train the network of a config."""

from __future__ import annotations

import argparse

from .arguments import add_run_arguments
from .launch import room_made_at_once
from .train_health import add_health_argument
from .train_resuming import add_resume_arguments
from .train_speed import add_speed_arguments

HELP = "train a network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet train`."""
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    add_resume_arguments(parser)
    parser.add_argument("--no-validate", action="store_true", help="do not evaluate during training")
    parser.add_argument(
        "--auto-scale-lr", action="store_true", help="scale the learning rate with the batch size (auto_scale_lr)"
    )
    parser.add_argument("--seed", type=int, help="seed of weights, shuffling and augmentation (randomness.seed)")
    parser.add_argument(
        "--require-pretrained",
        action="store_true",
        help="fail where the config's pretrained weights are not at hand, instead of starting from random ones",
    )
    add_health_argument(parser)
    add_run_arguments(parser)
    add_speed_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status.

    Raises:
        UserError: for everything in the config, the data or the environment that stands in the way.
    """
    with room_made_at_once():
        from .run import train

        return train(args)
