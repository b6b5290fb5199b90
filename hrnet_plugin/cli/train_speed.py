"""How fast a training runs: the flags of `hrnet train`, the config's `speed`, and what mmengine is given for them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from hrnet_plugin.config_tree import add_hook, child, type_name
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.speed import NESTED, PRECISIONS, Speed, read_speed

from .gradient_options import add_gradient_arguments, apply_gradient_options

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict

_FREED_MEMORY = "hrnet_plugin.FreedMemoryHook"
#: Those of torch whose update of all weights is one pass.
_FUSED_OPTIMIZERS = ("Adam", "AdamW", "SGD", "Adagrad")


#: What `--fast` and `_base_/runtime/fast.py` turn on.
FAST = {"channels_last": True, "fused_optimizer": "auto", "cudnn_benchmark": True, "keep_memory": True}


def add_speed_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that make a training faster or smaller."""
    group = parser.add_argument_group("speed and memory, each also an entry of the config's `speed`")
    group.add_argument(
        "--fast",
        action="store_true",
        help="what is always safe: --channels-last --cudnn-benchmark --keep-memory, and --fused-optimizer where torch "
        "has it",
    )
    group.add_argument("--channels-last", action="store_true", help="channels-last memory of weights and features")
    precision = group.add_mutually_exclusive_group()
    precision.add_argument("--precision", choices=PRECISIONS, help="mixed precision by name; fp32 turns it off")
    precision.add_argument(
        "--amp",
        action="store_const",
        const="auto",
        dest="precision",
        help="the same as --precision auto: fp16 on a GPU, bf16 on a CPU",
    )
    group.add_argument("--compile", action="store_true", help="torch.compile of the backbone; slow to start")
    group.add_argument("--cuda-graphs", action="store_true", help="--compile with CUDA graphs, for small batches")
    memory = group.add_mutually_exclusive_group()
    memory.add_argument(
        "--checkpoint-activations",
        action="store_true",
        help="less memory, more time: compute the backbone's modules again in the backward pass",
    )
    memory.add_argument(
        "--checkpoint-nested",
        action="store_const",
        const=NESTED,
        dest="checkpoint_activations",
        help="the least memory, most time: within the modules once more, block by block",
    )
    group.add_argument("--accumulate", type=int, metavar="N", help="batches a step; the learning rate stays as it is")
    group.add_argument("--fused-optimizer", action="store_true", help="update all weights in one pass")
    group.add_argument("--keep-memory", action="store_true", help="on a CPU: keep freed memory for the next step")
    group.add_argument("--cudnn-benchmark", action="store_true", help="let cuDNN try its algorithms on each size")
    add_gradient_arguments(group)


def apply_speed(cfg: Config, args: argparse.Namespace) -> list[str]:
    """Puts the config's `speed` and the flags over it into what mmengine reads; returns notices.

    Raises:
        ConfigError: an entry that is misspelt, of another kind, or that the machine or the rest of the config rules
            out.
    """
    given = cfg.pop("speed", None) or {}
    if not isinstance(given, Mapping):
        raise ConfigError("speed", found=repr(given), expected="a dict, such as speed = dict(channels_last=True)")
    speed = read_speed({**given, **_flags(args)})
    if (speed.precision or speed.accumulate or speed.fused_optimizer) and not cfg.get("optim_wrapper"):
        raise ConfigError(
            "optim_wrapper", found="nothing", expected="an optimizer, for a training that is to be faster"
        )
    if speed.precision:
        _set_precision(cfg, speed.precision)
    if speed.channels_last:
        add_hook(cfg, {"type": "hrnet_plugin.ChannelsLastHook"})
    if speed.checkpoint_activations:
        _backbone(cfg, "checkpoint_activations").with_cp = speed.checkpoint_activations
    if speed.checkpoint_activations or speed.keep_memory:  # who asks for less memory does not want it kept
        add_hook(cfg, {"type": _FREED_MEMORY, "how": "return" if speed.checkpoint_activations else "keep"})
    if speed.compile or speed.cuda_graphs:
        _set_compile(cfg, speed.cuda_graphs)
    if speed.accumulate:
        cfg.optim_wrapper.accumulative_counts = speed.accumulate
    if speed.cudnn_benchmark:
        child(cfg, "env_cfg")["cudnn_benchmark"] = True
    notices = apply_gradient_options(cfg, speed, args.launcher)
    return notices + (_set_fused(cfg, speed.fused_optimizer) if speed.fused_optimizer else [])


def _flags(args: argparse.Namespace) -> dict[str, Any]:
    chosen = dict(FAST) if args.fast else {}
    given = {entry.name: getattr(args, entry.name) for entry in fields(Speed)}
    return chosen | {name: value for name, value in given.items() if value is not None and value is not False}


def _set_precision(cfg: Config, precision: str) -> None:
    if precision != "fp32":
        _set_autocast(cfg, precision)
    elif type_name(cfg.optim_wrapper) == "AmpOptimWrapper":
        cfg.optim_wrapper.type = "OptimWrapper"
        for key in ("dtype", "loss_scale", "use_fsdp"):
            cfg.optim_wrapper.pop(key, None)


def _set_autocast(cfg: Config, precision: str) -> None:
    from mmengine.device import get_device

    flag = "--amp" if precision == "auto" else f"--precision {precision}"
    kind = type_name(cfg.optim_wrapper) or "OptimWrapper"
    if kind not in ("OptimWrapper", "AmpOptimWrapper"):
        raise ConfigError(flag, found=f"optim_wrapper of type {kind}", expected="OptimWrapper in the config")
    cfg.optim_wrapper.type = "AmpOptimWrapper"
    on_cpu = get_device() == "cpu"
    if on_cpu and precision == "fp16":
        raise ConfigError(flag, found="no GPU", expected="bf16 or fp32 on a CPU, which has no fast fp16")
    if on_cpu or precision == "bf16":
        # bf16 has float32's range and needs no loss scale; on a GPU, mmengine has no way to leave it out but 1.
        cfg.optim_wrapper.dtype = "bfloat16"
        cfg.optim_wrapper.pop("loss_scale", None)
        if not on_cpu:
            cfg.optim_wrapper.loss_scale = 1.0
    else:
        if precision == "fp16":
            cfg.optim_wrapper.dtype = "float16"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")


def _set_compile(cfg: Config, cuda_graphs: bool) -> None:
    from mmengine.device import get_device

    from hrnet_plugin.deploy.runtimes.torch_compiled import check_compiler

    flag = "--cuda-graphs" if cuda_graphs else "--compile"
    if _backbone(cfg, "compile").get("with_cp"):
        raise ConfigError(
            flag,
            found="model.backbone.with_cp, or --checkpoint-activations",
            expected="one of the two: a compiled network decides by itself what it computes again",
        )
    if get_device() == "cpu":
        if cuda_graphs:
            raise ConfigError(flag, found="no GPU", expected="a CUDA device; --compile works on a CPU")
        check_compiler("train without --compile")
    add_hook(cfg, {"type": "hrnet_plugin.CompileHook", "mode": "reduce-overhead" if cuda_graphs else "default"})


def _set_fused(cfg: Config, wanted: bool | str) -> list[str]:
    """Asks torch for its fused update; returns a notice where 'auto' finds none."""
    optimizer = cfg.optim_wrapper.get("optimizer")
    kind = type_name(optimizer) if optimizer else None
    if kind in _FUSED_OPTIMIZERS and not optimizer.get("foreach") and not optimizer.get("differentiable"):
        optimizer.fused = True
        return []
    found = f"optimizer of type {kind}" if kind else "no optim_wrapper.optimizer"
    if wanted == "auto":
        return [f"fused optimizer: {found} has none in torch, so it is used as it is"]
    raise ConfigError("--fused-optimizer", found=found, expected=" or ".join(_FUSED_OPTIMIZERS))


def _backbone(cfg: Config, option: str) -> ConfigDict:
    """The dict of the backbone, also of a model within another."""
    model = cfg.model
    while "backbone" not in model and isinstance(model.get("module"), dict):
        model = model.module
    if "backbone" not in model:
        raise ConfigError(f"speed.{option}", found=f"{type_name(model)} without a backbone", expected="model.backbone")
    return model.backbone
