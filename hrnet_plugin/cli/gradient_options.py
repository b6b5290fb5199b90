"""How the gradients of several processes are joined: options of torch's data-parallel wrapper, and what is sent."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import add_hook, type_name
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.speed import Speed

if TYPE_CHECKING:
    from mmengine.config import Config

_WRAPPER = "MMDistributedDataParallel"
#: Entries of `speed`, and the arguments of the wrapper that they stand for.
_ARGUMENTS = {"gradient_view": "gradient_as_bucket_view", "static_graph": "static_graph"}


def add_gradient_arguments(group: argparse._ArgumentGroup) -> None:
    """The flags for trainings of several processes."""
    group.add_argument(
        "--gradient-view",
        action="store_true",
        help="several processes: keep gradients where they are sent from, which saves a copy of them",
    )
    group.add_argument(
        "--static-graph",
        action="store_true",
        help="several processes: find out once which parameters get a gradient; it has to be the same ones ever after",
    )
    group.add_argument(
        "--bf16-gradients",
        action="store_true",
        help="several processes: send gradients in bfloat16, half the bytes",
    )


def apply_gradient_options(cfg: Config, speed: Speed, launcher: str) -> list[str]:
    """Puts the options into the config; returns a notice where there is one process, which sends nothing.

    Raises:
        ConfigError: the config has a wrapper of its own, or options that the rest of it rules out.
    """
    asked = [name for name in (*_ARGUMENTS, "bf16_gradients") if getattr(speed, name)]
    if not asked:
        return []
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
    if launcher == "none":
        return [f"{flags}: of no effect in one process; start several with tools/dist_train.sh"]
    if speed.static_graph:
        _check_accumulation(cfg)
    _set_wrapper(cfg, {_ARGUMENTS[name]: True for name in asked if name in _ARGUMENTS}, flags)
    if speed.bf16_gradients:
        add_hook(cfg, {"type": "hrnet_plugin.Bf16GradientsHook"})
    return []


def _check_accumulation(cfg: Config) -> None:
    batches = (cfg.get("optim_wrapper") or {}).get("accumulative_counts", 1)
    if batches > 1:
        raise ConfigError(
            "--static-graph",
            found=f"{batches} batches a step of the optimizer (--accumulate)",
            expected="one of the two: torch records the graph of the first batch, whose gradients are then not sent",
        )


def _set_wrapper(cfg: Config, arguments: dict[str, bool], flags: str) -> None:
    wrapper = cfg.get("model_wrapper_cfg")
    if wrapper is not None and type_name(wrapper) not in ("", _WRAPPER):
        raise ConfigError(flags, found=f"model_wrapper_cfg of type {type_name(wrapper)}", expected=_WRAPPER)
    if arguments:
        # What mmengine says by itself where there is no model_wrapper_cfg, and leaves out where there is one.
        unused = cfg.get("find_unused_parameters", False)
        default = {"type": _WRAPPER, "broadcast_buffers": False, "find_unused_parameters": unused}
        cfg.model_wrapper_cfg = {**(default if wrapper is None else wrapper), **arguments}
