"""Loading without loading: which tensor of a checkpoint would arrive where, through the modules' own hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class Arrivals:
    """What a rehearsed loading found.

    Args:
        offered: By key of the network, the tensor that arrived there; its shape may be another.
        unexpected: Keys for which the network has no place.
    """

    offered: dict[str, Tensor] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)


def rehearse_loading(network: nn.Module, weights: Mapping[str, Tensor], versions: Mapping[str, Mapping]) -> Arrivals:
    """Walks through a network as torch's loading does, and changes nothing in it.

    A module may rename or rewrite what an older version of it saved (mmpose's heads do); only its own hooks know how,
    so that they are run. While they run, the network's tensors are replaced by ones without content.

    Args:
        weights: Tensors by key.
        versions: What the checkpoint says of each module's version, by the module's path (torch's `_metadata`).
    """
    arrivals = Arrivals()

    def enter(module: nn.Module, offered: dict[str, Tensor], prefix: str) -> None:
        said = {**versions.get(prefix[:-1], {}), "assign_to_params_buffers": True}
        module._load_from_state_dict(offered, prefix, said, True, [], arrivals.unexpected, [])
        for name in _own_tensors(module):
            if prefix + name in offered:
                arrivals.offered[prefix + name] = offered[prefix + name]
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                enter(child, {key: value for key, value in offered.items() if key.startswith(below)}, below)

    with _without_content(network):
        enter(network, dict(weights), "")
    return arrivals


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Every parameter and every saved buffer of a network by its path; the tensors themselves."""
    found: dict[str, Tensor] = {}
    for path, module in network.named_modules(remove_duplicate=False):
        prefix = f"{path}." if path else ""
        found.update({prefix + name: tensor for name, tensor in _own_tensors(module).items()})
    return found


def _own_tensors(module: nn.Module) -> dict[str, Tensor]:
    held = {**module._parameters, **module._buffers}
    unsaved = module._non_persistent_buffers_set
    return {name: tensor for name, tensor in held.items() if tensor is not None and name not in unsaved}


@contextmanager
def _without_content(network: nn.Module) -> Iterator[None]:
    """Tensors on torch's meta device in the place of the network's own, which stand there again afterwards."""
    kept = [(module, dict(module._parameters), dict(module._buffers)) for module in network.modules()]
    try:
        for module, parameters, buffers in kept:
            for name, parameter in parameters.items():
                if parameter is not None:
                    empty = torch.empty_like(parameter, device="meta")
                    module._parameters[name] = nn.Parameter(empty, requires_grad=False)
            for name, buffer in buffers.items():
                if buffer is not None:
                    module._buffers[name] = torch.empty_like(buffer, device="meta")
        yield
    finally:
        for module, parameters, buffers in kept:
            module._parameters.update(parameters)
            module._buffers.update(buffers)
