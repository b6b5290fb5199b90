"""One training step of a config: its own model, optimiser and data."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from ..config_tree import dicts_in, leaf_datasets, type_name
from ..errors import ConfigError
from .forward import build_model, model_config
from .miniature import first_batch
from .miniature.batch import seeded


@dataclass(frozen=True)
class TrainedStep:
    """What one training step did.

    Args:
        losses: Every part of the loss and their sum, `loss`, before the step.
        gradient_norm: Euclidean norm of the gradient that the optimiser was given, over all parameters.
        changed: How many parameters (tensors) the step changed.
        parameters: How many there are that a gradient reached.
        unused: The names of those that are trained and that none reached: with `find_unused_parameters=False`, torch's
            data-parallel wrapper would wait for them.
        substitutes: What was done in another way than the config says, a line each.
    """

    losses: dict[str, float]
    gradient_norm: float
    changed: int
    parameters: int
    unused: tuple[str, ...]
    substitutes: tuple[str, ...]


def train_one_step(cfg: Config) -> TrainedStep:
    """Builds the model of a config from random weights and trains it on the first batch of its own data.

    SyncBN becomes BN, as in mmengine's runner without a group. Pretrained weights are not looked for.

    Args:
        cfg: A config whose data are there; `with_miniature_data` makes one of any.

    Raises:
        ConfigError: a loss is not finite, no gradient arrived, no parameter changed, or one has no gradient and the
            config does not say so.
        MissingDependency: the model needs full mmcv.
    """
    batch = first_batch(cfg, "train_dataloader")
    optim_wrapper, substitutes = _optim_wrapper_config(cfg)
    with DefaultScope.overwrite_default_scope(cfg.default_scope), seeded(0):
        model = build_model(_from_scratch(cfg), cfg.default_scope)
        model.init_weights()
        model.train()
        wrapper = build_optim_wrapper(model, optim_wrapper)
        before = [parameter.detach().clone() for parameter in model.parameters()]
        gradients: dict[str, float] = {}
        wrapper.optimizer.register_step_pre_hook(lambda *_: gradients.update(_gradient_norms(model)))
        losses = {name: float(value.detach()) for name, value in model.train_step(batch, wrapper).items()}
    pairs = zip(before, model.parameters(), strict=True)
    changed = sum(not torch.equal(old, new.detach()) for old, new in pairs)
    unused = tuple(name for name, value in model.named_parameters() if value.requires_grad and name not in gradients)
    step = TrainedStep(losses, math.hypot(*gradients.values()), changed, len(gradients), unused, substitutes)
    _check(step)
    if step.unused and not cfg.get("find_unused_parameters"):
        found = f"{len(step.unused)}, among them {step.unused[0]}"
        raise ConfigError("parameters without a gradient", found=found, expected="none")
    return step


def kind_of(cfg: Config) -> str:
    """What a config trains, in words that are the same for all configs of one kind.

    These are framework, model, backbone, heads with their codecs and losses, data sets, and mixed precision. Widths,
    input sizes and schedules do not matter.
    """
    model = cfg.model
    heads = sorted(set(_heads(model)))
    datasets = sorted({type_name(dataset) for dataset in leaf_datasets(cfg.get("train_dataloader"))})
    wrapper = type_name(cfg.get("optim_wrapper"))
    parts = [cfg.default_scope, type_name(model), type_name(model.get("backbone")), "+".join(heads), "+".join(datasets)]
    return " / ".join(parts + [wrapper] * (wrapper not in ("", "OptimWrapper")))


def _heads(node: Mapping) -> Iterator[str]:
    for key, value in node.items():
        for head in value if isinstance(value, (list, tuple)) else [value]:
            if key.endswith("head") and isinstance(head, Mapping):
                details = [type_name(head[name]) for name in ("decoder", "loss") if isinstance(head.get(name), Mapping)]
                details += ["DARK"] if (head.get("decoder") or {}).get("unbiased") else []
                yield type_name(head) + (f"({', '.join(details)})" if details else "")
                yield from _heads(head)


def _from_scratch(cfg: Config) -> dict:
    """The model's config as the runner completes it, less the weights to start from."""
    model = model_config(cfg)
    for node in dicts_in(model):
        if type_name(node.get("init_cfg")) == "Pretrained":
            node["init_cfg"] = None
        if "pretrained" in node:
            node["pretrained"] = None
    return model


def _optim_wrapper_config(cfg: Config) -> tuple[dict, tuple[str, ...]]:
    """The config's optimiser; float16 becomes bfloat16 where there is no accelerator, and that is told."""
    wrapper = copy.deepcopy(cfg.optim_wrapper)
    if type_name(wrapper) == "AmpOptimWrapper" and get_device() == "cpu":
        dtype = wrapper.pop("dtype", None) or "float16"
        if str(dtype).removeprefix("torch.") != "bfloat16":
            return wrapper, (f"bfloat16 instead of {dtype}, which CPUs do not train in",)
    return wrapper, ()


def _gradient_norms(model: nn.Module) -> dict[str, float]:
    return {name: float(value.grad.norm()) for name, value in model.named_parameters() if value.grad is not None}


def _check(step: TrainedStep) -> None:
    wrong = {name: value for name, value in step.losses.items() if not math.isfinite(value)}
    if wrong or not step.losses:
        found = ", ".join(f"{name} {value}" for name, value in wrong.items()) or "none"
        raise ConfigError("losses of one training step", found=found, expected="finite numbers")
    if not (math.isfinite(step.gradient_norm) and step.gradient_norm > 0):
        raise ConfigError("gradient of one training step", found=f"norm {step.gradient_norm}", expected="above 0")
    if not step.changed:
        raise ConfigError("parameters after one training step", found="none changed", expected="new values")
