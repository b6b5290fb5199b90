"""`hrnet train --health`: a training that is watched."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.plain import as_list

if TYPE_CHECKING:
    from mmengine.config import Config

_HOOK = "hrnet_plugin.TrainingHealthHook"


def add_health_argument(parser: argparse.ArgumentParser) -> None:
    """The flag."""
    parser.add_argument(
        "--health",
        nargs="?",
        const="stop",
        choices=("stop", "skip"),
        help="measure gradients, activations and batch norms (train/health/...); catch a loss or gradient that is not "
        "finite before the step, name module and image in WORK_DIR/health, and stop, or skip the batch; alone: stop",
    )


def apply_health(cfg: Config, args: argparse.Namespace) -> None:
    """Adds the hook where the flag asks for it; one that the config has keeps its other options."""
    if args.health is None:
        return
    hooks = as_list(cfg.get("custom_hooks") or [])
    for hook in hooks:
        if type_name(hook) == type_name(_HOOK):
            hook["on_fault"] = args.health
            return
    cfg.custom_hooks = [*hooks, {"type": _HOOK, "on_fault": args.health}]
