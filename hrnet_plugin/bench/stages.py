"""Where the time of an HRNet goes: stem, stage 1, transitions, each branch of each stage, its fusion, the head."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from ..deploy.tensor_model import TensorModel
from ..inspection.places import BRANCH, STAGE, Places
from ..inspection.profiling import border_modules

_WHOLE = ("", "backbone")


def time_parts(model: TensorModel, images: Tensor, turns: int) -> dict[str, float]:
    """Seconds of each part in one pass: medians, which need not add up to the whole.

    Parts are `stem and transitions`, `stage 1`, `stage 2 branch 1`, ..., `stage 2 fusion`, ..., `neck and head`,
    `whole`. They are measured at the modules' borders, so that the network must run module by module.

    Args:
        model: Of a pose, segmentation or classification network on an HRNet.
        images: (N, C, H, W).
        turns: Passes.
    """
    places = Places(model)
    passes = []
    # A card's work goes on after the call.
    now = _after_the_card if images.is_cuda else perf_counter
    with _clocked(model, places, now) as spent, torch.inference_mode():
        model(images)
        for _ in range(turns):
            spent.clear()
            model(images)
            passes.append(_as_parts(spent, places))
    return {name: median(one[name] for one in passes) for name in passes[0]}


@contextmanager
def _clocked(model: nn.Module, places: Places, now: Callable[[], float]) -> Iterator[dict[str, float]]:
    """Adds up the seconds of the modules that parts are made of, by their names."""
    spent: dict[str, float] = {}
    begun: dict[str, float] = {}
    hooks = []
    borders = set(border_modules(model))
    for name, module in model.named_modules():
        # A stage as a whole and the branches within it: what is left of it is its fusion.
        place = places.of(name)
        is_whole_stage = place.kind == STAGE and place.module is None
        if name in _WHOLE or (name in borders and (place.kind == BRANCH or is_whole_stage)):
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


def _as_parts(spent: dict[str, float], places: Places) -> dict[str, float]:
    stages = {
        places.of(name).part: seconds
        for name, seconds in spent.items()
        if name not in _WHOLE and places.of(name).kind == STAGE
    }
    parts = {"stem and transitions": spent["backbone"] - sum(stages.values())}
    for stage, seconds in stages.items():
        branches: dict[str, float] = {}
        for name, own in spent.items():
            place = places.of(name)
            if place.part == stage and place.kind == BRANCH:
                label = f"{stage} branch {place.branch + 1}"
                branches[label] = branches.get(label, 0.0) + own
        parts |= branches | {f"{stage} fusion": seconds - sum(branches.values())} if branches else {stage: seconds}
    return parts | {"neck and head": spent[""] - spent["backbone"], "whole": spent[""]}
