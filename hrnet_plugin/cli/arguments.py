"""The flags that `hrnet train` and `hrnet test` share: those that mmpose's and mmseg's users know, and our own."""

from __future__ import annotations

import argparse


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shared flags; the verbs add their own."""
    parser.add_argument("--work-dir", metavar="DIR", help="where logs and results go (default work_dirs/<config>)")
    parser.add_argument(
        "--data-root",
        metavar="DIR",
        help="read every data set and every evaluator's annotations from this folder, laid out as the config's own",
    )
    parser.add_argument(
        "--gt-boxes",
        action="store_true",
        help="pose: evaluate with the annotated person boxes even where a file of detected ones is at hand",
    )
    add_config_options(parser, "train_cfg.max_epochs=2 'a.b=[1,2]'")
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="what started the processes of a distributed run (tools/dist_train.sh sets it)",
    )
    parser.add_argument("--local-rank", "--local_rank", type=int, default=0, help=argparse.SUPPRESS)
    _add_drawing_arguments(parser)


def _add_drawing_arguments(parser: argparse.ArgumentParser) -> None:
    drawing = parser.add_argument_group("drawing of predictions")
    drawing.add_argument("--show", action="store_true", help="show predictions in a window")
    drawing.add_argument("--show-dir", metavar="DIR", help="save drawn predictions to this folder")
    drawing.add_argument("--interval", type=int, default=1, metavar="N", help="draw every N-th batch (default 1)")
    drawing.add_argument(
        "--wait-time", type=float, default=1.0, metavar="SECONDS", help="how long a window stays (default 1)"
    )


def add_config_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Add `--cfg-options`.

    Args:
        parser: A verb's.
        example: Pairs that make sense for it.
    """
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help=f"change single values of the config, as in {example}",
    )
