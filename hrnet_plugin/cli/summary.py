"""What a run prints last: the numbers, the files, the time, and what to keep in mind."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.runner import Runner

_NO_METRICS = ("time", "data_time")


def print_train_summary(runner: Runner, seconds: float, notices: Sequence[str]) -> None:
    """Print how training ended.

    Args:
        runner: After training.
        seconds: Wall time.
        notices: What the user should not miss, a line each.
    """
    lines = [*_last_values(runner), *_checkpoints(runner), ("logs", runner.log_dir), ("time", _duration(seconds))]
    print_table("training finished", lines, notices)


def print_test_summary(
    runner: Runner, metrics: Mapping, seconds: float, notices: Sequence[str], computed: str = ""
) -> None:
    """Print the metrics of a test.

    Args:
        runner, seconds, notices: As :func:`print_train_summary` takes them.
        metrics: By name.
        computed: What computed the network, and how fast.
    """
    lines = [(name, _number(value)) for name, value in metrics.items()]
    lines += [("network", computed)] if computed else []
    print_table("test finished", [*lines, ("logs", runner.log_dir), ("time", _duration(seconds))], notices)


def print_table(title: str, lines: Sequence[tuple[str, str]], notices: Sequence[str]) -> None:
    """Print name and value in two columns, the notices below; long paths stay on one line, ready to be copied."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    width = max((len(name) for name, _ in lines), default=0)
    console.print(f"\n[bold]{title}[/bold]")
    for name, value in lines:
        console.print(f"  {escape(name):<{width}}  {escape(value)}")
    for notice in notices:
        console.print(f"  [bold yellow]note[/bold yellow]  {escape(notice)}")


def is_first_rank() -> bool:
    """Whether this process speaks for the run."""
    from mmengine.dist import is_main_process

    return is_main_process()


def _last_values(runner: Runner) -> list[tuple[str, str]]:
    scalars = runner.message_hub.log_scalars
    lines = [("last loss", _number(scalars["train/loss"].current()))] if "train/loss" in scalars else []
    for key, buffer in scalars.items():
        kind, _, name = key.partition("/")
        if kind == "val" and name not in _NO_METRICS:
            lines.append((f"last {name}", _number(buffer.current())))
    return lines


def _checkpoints(runner: Runner) -> list[tuple[str, str]]:
    from mmengine.hooks import CheckpointHook

    known = runner.message_hub.runtime_info
    hook = next((hook for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)
    metrics = getattr(hook, "key_indicators", None) or []
    lines = []
    for metric in metrics:
        suffix = f"_{metric}" if len(metrics) > 1 else ""  # mmengine's names for one metric and for several
        if f"best_score{suffix}" in known:
            lines.append((f"best {metric}", _number(known[f"best_score{suffix}"])))
            lines.append(("best checkpoint", _relative(known[f"best_ckpt{suffix}"])))
    if known.get("last_ckpt"):
        lines.append(("last checkpoint", _relative(known["last_ckpt"])))
    return lines


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) or hasattr(value, "__float__") else str(value)


def _duration(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))


def _relative(path: str) -> str:
    return os.path.relpath(path) if path and not os.path.relpath(path).startswith("..") else path
