"""Where the time of an HRNet goes: stem, stage 1, transitions, each branch of each stage, its fusion, the head."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from ..deploy.tensor_model import TensorModel

_BRANCH = re.compile(r"backbone\.stage(\d+)\.\d+\.branches\.(\d+)")
_STAGE = re.compile(r"backbone\.stage(\d+)")


def time_parts(model: TensorModel, images: Tensor, turns: int) -> dict[str, float]:
    """Seconds of each part in one pass: medians, which need not add up to the whole.

    Parts are `stem and transitions`, `stage 1`, `stage 2 branch 1`, ..., `stage 2 fusion`, ..., `neck and head`,
    `whole`. They are measured at the modules' borders, so that the network must run module by module.

    Args:
        model: Of a pose, segmentation or classification network on an HRNet.
        images: (N, C, H, W).
        turns: Passes.
    """
    passes = []
    # A card's work goes on after the call.
    now = _after_the_card if images.is_cuda else perf_counter
    with _clocked(model, now) as spent, torch.inference_mode():
        model(images)
        for _ in range(turns):
            spent.clear()
            model(images)
            passes.append(_as_parts(spent))
    return {name: median(one[name] for one in passes) for name in passes[0]}


@contextmanager
def _clocked(model: nn.Module, now: Callable[[], float]) -> Iterator[dict[str, float]]:
    """Adds up the seconds of the modules that parts are made of, by their names."""
    spent: dict[str, float] = {}
    begun: dict[str, float] = {}
    hooks = []
    for name, module in model.named_modules():
        wanted = name in ("", "backbone", "backbone.layer1") or _STAGE.fullmatch(name) or _BRANCH.fullmatch(name)
        if wanted:
            hooks.append(module.register_forward_pre_hook(_starting(begun, name, now)))
            hooks.append(module.register_forward_hook(_stopping(begun, spent, name, now)))
    try:
        yield spent
    finally:
        for hook in hooks:
            hook.remove()


def _after_the_card() -> float:
    torch.cuda.synchronize()
    return perf_counter()


def _starting(begun: dict[str, float], name: str, now: Callable[[], float]):
    return lambda module, args: begun.__setitem__(name, now())


def _stopping(begun: dict[str, float], spent: dict[str, float], name: str, now: Callable[[], float]):
    return lambda module, args, output: spent.__setitem__(name, spent.get(name, 0.0) + now() - begun[name])


def _as_parts(spent: dict[str, float]) -> dict[str, float]:
    stages = {name: seconds for name, seconds in spent.items() if _STAGE.fullmatch(name)}
    first = spent.get("backbone.layer1", 0.0)
    parts = {"stem and transitions": spent["backbone"] - sum(stages.values()) - first, "stage 1": first}
    for name, seconds in stages.items():
        number = _STAGE.fullmatch(name)[1]
        branches: dict[str, float] = {}
        for inner, own in spent.items():
            found = _BRANCH.fullmatch(inner)
            if found and found[1] == number:
                label = f"stage {number} branch {int(found[2]) + 1}"
                branches[label] = branches.get(label, 0.0) + own
        parts |= branches | {f"stage {number} fusion": seconds - sum(branches.values())}
    return parts | {"neck and head": spent[""] - spent["backbone"], "whole": spent[""]}
