"""`hrnet test`: evaluate a checkpoint."""

from __future__ import annotations

import argparse

from .arguments import add_run_arguments
from .test_report import add_report_argument
from .test_runtime import add_runtime_arguments

HELP = "evaluate a checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet test`."""
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    parser.add_argument(
        "checkpoint",
        help="what to evaluate: a checkpoint file, hrnet://NAME for published weights in the store, or what `hrnet "
        "export` wrote",
    )
    parser.add_argument(
        "--out",
        metavar="PATH",
        help="pose: a file that receives the metrics (.json, .yaml); segmentation: a folder that receives the "
        "predicted label maps, or a .json or .yaml file that receives the metrics",
    )
    parser.add_argument("--dump", metavar="FILE", help="save all predictions to this .pkl file")
    parser.add_argument(
        "--tta",
        action="store_true",
        help="test-time augmentation: segmentation takes the config's tta_pipeline and tta_model; pose averages "
        "each image with its mirror image (flip_test), which most pose configs do anyway",
    )
    add_report_argument(parser)
    add_runtime_arguments(parser)
    add_run_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate; returns the exit status.

    Raises:
        UserError: for everything in the config, the data, the checkpoint or the environment that stands in the way.
    """
    from .run import test

    return test(args)
