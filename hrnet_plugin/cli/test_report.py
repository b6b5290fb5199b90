"""`hrnet test --report`: a page about a test, and its numbers as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError

from .overrides import is_segmentation
from .preflight import check_writable

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner

    from hrnet_plugin.engine.test_report import ReportHook

#: What there is a report of, by the framework's scope.
TASKS = {"mmpose": "pose", "mmseg": "segmentation", "mmpretrain": "classification"}


def add_report_argument(parser: argparse.ArgumentParser) -> None:
    """The flag."""
    parser.add_argument(
        "--report",
        metavar="DIR",
        help="write a page about it to DIR/index.html and its numbers to DIR/report.json: every keypoint or class, "
        "errors by kind, what is taken for what, how reliable scores are, worst and best cases",
    )


def check_task(cfg: Config) -> None:
    """Check that there is a report of what the config does.

    Raises:
        ConfigError: a task without one.
    """
    scope = _scope(cfg)
    if scope not in TASKS:
        known = ", ".join(f"{task} ({name})" for name, task in TASKS.items())
        raise ConfigError("--report", found=f"a config of {scope or 'no framework'}", expected=f"one of {known}")


def check_folder(folder: str) -> None:
    """Check that a report can be written into a folder, which is made.

    Raises:
        ConfigError: it cannot be written, or another page lies there under our names.
    """
    from hrnet_plugin.reports.test_report.report import check_report_folder

    check_writable(folder, "--report")
    check_report_folder(folder)


def report_hook(cfg: Config, runner: Runner) -> ReportHook:
    """The hook that gathers what the page shows, registered with the runner of the test."""
    from hrnet_plugin.engine.test_report import ReportHook, collector_of

    hook = ReportHook(collector_of(TASKS[_scope(cfg)]))
    runner.register_hook(hook)
    return hook


def write_report(
    hook: ReportHook, runner: Runner, args: argparse.Namespace, metrics: Mapping[str, float], computed: str
) -> Path:
    """Draws the page once the test is over, writes it and says where.

    Args:
        hook: What it has gathered.
        runner: Of the test.
        args: Of `hrnet test`.
        metrics: As the test gave them.
        computed: What computed the network.

    Raises:
        ConfigError: a file cannot be written.
    """
    name = Path(runner.cfg.filename or args.config).stem
    about = {"config": args.config, "checkpoint": args.checkpoint, "network": computed}
    if args.tta:
        about["augmentation"] = "test-time augmentation (--tta)"
    page = hook.report(runner, f"Test of {name}", about, metrics).write(args.report)
    print(f"  report  {page}")
    return page


def _scope(cfg: Config) -> str:
    return cfg.get("default_scope") or ("mmseg" if is_segmentation(cfg) else "")
