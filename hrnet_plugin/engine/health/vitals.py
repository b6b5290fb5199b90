"""How a training is: gradients, activations and batch norms of each part of a network, at a sampled iteration."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import get_total_norm

from hrnet_plugin.inspection.places import BRANCH, FUSE, OTHER, Places

from .tensors import largest, tensors_in

#: What is measured; each is a group of scalars, one for each part.
GRADIENT_NORM, GRADIENT_RMS = "gradient_norm", "gradient_rms"
LARGEST, ZEROS = "activation_max", "activation_zeros"
SHIFT, SPREAD = "norm_shift", "norm_spread"
#: The part that is the network as a whole.
WHOLE = "all"
LOGGED = (GRADIENT_NORM, LARGEST, ZEROS, SHIFT, SPREAD)
Vital = dict[str, dict[str, float]]


class Vitals:
    """Measures the parts of a network: stem, stages, transitions, neck, head.

    Args:
        network: Not wrapped. What is compiled is left alone, since hooks inside would compile it anew.
        by_branch: Tell the branches of a stage, and their fusion, apart.
    """

    def __init__(self, network: nn.Module, by_branch: bool = False):
        self._network, self._by_branch = network, by_branch
        self._places = Places(network)
        self._parts = {name: self._part(name) for name, _ in network.named_modules() if name}
        self._parameter_parts = {name: self._part(name) or "other" for name, _ in network.named_parameters()}
        self._outputs: dict[str, tuple[int, list[Tensor]]] = {}

    def _part(self, name: str) -> str:
        """The part; '' for what is none, as the preprocessor, or holds the parts."""
        place = self._places.of(name)
        if self._by_branch and place.kind == BRANCH and place.branch is not None:
            return f"{place.part} branch {place.branch + 1}"
        if self._by_branch and place.kind == FUSE:
            return f"{place.part} fusion"
        holds_parts = place.kind == OTHER and self._places.backbone_name is not None
        return "" if holds_parts or place.part == "other" else place.part

    @contextmanager
    def watching_outputs(self) -> Iterator[None]:
        """Remembers the output of each part during the forward pass that runs meanwhile."""
        self._outputs = {}
        compiled = [name for name, one in self._network.named_modules() if one._compiled_call_impl is not None]
        handles = [
            module.register_forward_hook(partial(self._remember, name))
            for name, module in self._network.named_modules()
            if self._parts.get(name) and not any(f"{name}.".startswith(f"{outer}.") for outer in compiled)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _remember(self, name: str, module: nn.Module, args: tuple, output: object) -> None:
        """The last output of the outermost module of a part that is called; losses, which are scalars, are none."""
        tensors = [tensor.detach() for tensor in tensors_in(output) if tensor.dim() > 1]
        depth = name.count(".")
        part = self._parts[name]
        if tensors and (part not in self._outputs or depth <= self._outputs[part][0]):
            self._outputs[part] = depth, tensors

    @torch.no_grad()
    def measure(self, before: Mapping[int, Tensor], scale: float = 1.0) -> Vital:
        """The measurements after a backward pass, by kind and part.

        Args:
            before: The buffers before the forward pass, by their `id`.
            scale: By which the loss was multiplied.
        """
        norms, sizes = self._gradient_norms(scale)
        measured = {
            GRADIENT_NORM: {**norms, WHOLE: math.hypot(*norms.values())},
            GRADIENT_RMS: {part: norm / sizes[part] ** 0.5 for part, norm in norms.items()},
            **self._activations(),
            **self._batch_norms(before),
        }
        self._outputs = {}
        return measured

    def _gradient_norms(self, scale: float) -> tuple[dict[str, float], dict[str, int]]:
        gradients = defaultdict(list)
        for name, parameter in self._network.named_parameters():
            if parameter.grad is not None:
                gradients[self._parameter_parts[name]].append(parameter.grad)
        norms = {part: float(get_total_norm(found)) / scale for part, found in gradients.items()}
        return norms, {part: sum(one.numel() for one in found) for part, found in gradients.items()}

    def _activations(self) -> Vital:
        sizes, zeros = {}, {}
        for part, (_, tensors) in self._outputs.items():
            sizes[part] = largest(tensors)
            zeros[part] = sum(int((tensor == 0).sum()) for tensor in tensors) / sum(one.numel() for one in tensors)
        return {LARGEST: sizes, ZEROS: zeros}

    def _batch_norms(self, before: Mapping[int, Tensor]) -> Vital:
        shifts, spreads = defaultdict(list), defaultdict(list)
        for name, norm in self._network.named_modules():
            if isinstance(norm, _BatchNorm) and _moves(norm) and self._parts[name]:
                shift, spread = _against_running(norm, before)
                shifts[self._parts[name]].append(shift)
                spreads[self._parts[name]].append(spread)
        return {SHIFT: _root_mean_squares(shifts), SPREAD: _root_mean_squares(spreads)}


def _moves(norm: _BatchNorm) -> bool:
    return norm.training and norm.running_mean is not None and norm.momentum != 0


def _against_running(norm: _BatchNorm, before: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """(C,) each: how many running standard deviations a batch's mean is off, and the logarithm of its variance's ratio.

    The batch's statistics follow from how far they have moved the running ones.
    """
    momentum = norm.momentum if norm.momentum is not None else 1 / int(norm.num_batches_tracked)
    mean, variance = before[id(norm.running_mean)], before[id(norm.running_var)]
    batch_variance = variance + (norm.running_var - variance) / momentum
    shift = (norm.running_mean - mean) / momentum * (variance + norm.eps).rsqrt()
    return shift, ((batch_variance.clamp_min(0) + norm.eps) / (variance + norm.eps)).log()


def _root_mean_squares(values: Mapping[str, Iterable[Tensor]]) -> dict[str, float]:
    return {part: float(torch.cat([*found]).square().mean().sqrt()) for part, found in values.items()}


def scalars(measured: Vital) -> dict[str, float]:
    """The measurements as a visualizer takes them: `train/health/gradient_norm/stage_2`."""
    return {
        f"train/health/{kind}/{part.replace(' ', '_')}": value
        for kind in LOGGED
        for part, value in measured.get(kind, {}).items()
    }
