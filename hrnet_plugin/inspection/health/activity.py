"""Activations: ReLUs that never fire, residual blocks and fuse paths that carry nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from ...findings import ERROR, NOTE, Finding
from ..places import FUSE, Place, Places

#: Share of dead channels from which on a ReLU is worth a word, and from which on little gets through it.
MANY_DEAD, MOST_DEAD = 0.4, 0.95
#: A path whose strength is this share of what it is added to carries nothing.
NOTHING = 1e-3
_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
_RELUS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU)


@dataclass(frozen=True)
class ReluState:
    """What one call of a ReLU let through on a batch.

    Args:
        name: Of the module; with the number of the call where it is called several times a pass.
        place: Where it stands.
        channels: How many it has.
        dead: Those that are 0 at every position of every image.
        zeros: Share of all values that are 0.
    """

    name: str
    place: Place
    channels: int
    dead: int
    zeros: float


@dataclass(frozen=True)
class PathState:
    """How strong a path is beside what it is added to.

    Args:
        name: Of the residual block, or of the path of a fuse layer.
        place: Where it stands.
        strength: Root mean square of what it gives.
        beside: That of the shortcut, or of the strongest path into the same branch.
    """

    name: str
    place: Place
    strength: float
    beside: float

    @property
    def share(self) -> float:
        """`strength` of `beside`."""
        return self.strength / self.beside if self.beside else float("inf")


@dataclass
class Activity:
    """What was seen in one forward pass."""

    relus: list[ReluState] = field(default_factory=list)
    residuals: list[PathState] = field(default_factory=list)
    fusions: list[PathState] = field(default_factory=list)


def examine_activity(network: nn.Module, run: Callable[[], object]) -> Activity:
    """Runs the network once and measures; hooks come off again, also after an error.

    Args:
        network: In the mode in which it is to be looked at.
        run: Runs it, on a batch.
    """
    watch = _Watch(network)
    with watch.hooks(), torch.no_grad():
        run()
    return watch.activity()


def activity_findings(activity: Activity) -> Iterator[Finding]:
    """What is wrong with activations."""
    dead = sorted((state for state in activity.relus if state.channels), key=lambda state: -state.dead / state.channels)
    many = [state for state in dead if state.dead / state.channels >= MANY_DEAD]
    if many:
        worst = many[0]
        blocked = [state for state in many if state.dead == state.channels]
        yield Finding(
            ERROR if blocked or (worst.dead / worst.channels >= MOST_DEAD and len(many) > len(dead) // 2) else NOTE,
            "relu-dead",
            worst.name,
            f"{worst.dead} of {worst.channels} channels that never fire on this batch ({worst.place.label}); "
            f"{len(many)} of {len(dead)} ReLUs have {100 * MANY_DEAD:.0f} % or more",
            "",
            "Too large a learning rate has pushed biases below 0, or the norm before it is constant; in the last "
            "fusion also channels that the head does not need",
            len(many),
            tuple(f"{state.name}: {100 * state.dead / state.channels:.0f} % dead" for state in many[1:4]),
        )
    yield from _weak(
        activity.residuals, "residual-nothing", "residual blocks", "its shortcut",
        "The block adds nothing: its last norm has weight 0 (zero_init_residual, never trained) or its ReLUs are dead",
    )  # fmt: skip
    yield from _weak(
        activity.fusions, "fusion-nothing", "fuse paths", "the strongest path into the same branch",
        "One resolution does not reach the other: its norm has decayed to 0, or the branch it comes from is dead",
    )  # fmt: skip


def _weak(states: Sequence[PathState], check: str, kind: str, beside: str, cause: str) -> Iterator[Finding]:
    weak = sorted((state for state in states if state.share < NOTHING), key=lambda state: state.share)
    if weak:
        worst = weak[0]
        yield Finding(
            ERROR if len(weak) > len(states) // 2 else NOTE,
            check,
            worst.name,
            f"{100 * worst.share:.2g} % of the strength of {beside} ({worst.place.label}); "
            f"{len(weak)} of {len(states)} {kind} are below {100 * NOTHING:g} %",
            "",
            cause,
            len(weak),
            tuple(f"{state.name}: {100 * state.share:.2g} %" for state in weak[1:4]),
        )


class _Watch:
    """Hooks on ReLUs, on residual blocks and on the paths of fuse layers."""

    def __init__(self, network: nn.Module):
        self._network = network
        self._places = Places(network)
        self._relus: list[ReluState] = []
        self._calls: dict[str, int] = {}
        self._strengths: dict[str, float] = {}
        self._blocks = dict(_residual_blocks(network))
        self._paths = [name for name, _ in network.named_modules() if self._is_path(name)]

    def _is_path(self, name: str) -> bool:
        place = self._places.of(name)
        return place.kind == FUSE and place.source is not None and bool(re.search(r"fuse_layers\.\d+\.\d+$", name))

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Measures while the network runs."""
        modules = dict(self._network.named_modules())
        handles = []
        try:
            for name, module in modules.items():
                if isinstance(module, _RELUS):
                    handles.append(module.register_forward_hook(self._of_relu(name)))
            for block, (norm, shortcut) in self._blocks.items():
                handles.append(modules[norm].register_forward_hook(self._of_output(norm)))
                if shortcut is None:
                    handles.append(modules[block].register_forward_pre_hook(self._of_input(block)))
                else:
                    handles.append(modules[shortcut].register_forward_hook(self._of_output(shortcut)))
            for name in self._paths:
                handles.append(modules[name].register_forward_hook(self._of_output(name)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def activity(self) -> Activity:
        """What was measured."""
        residuals = [
            PathState(block, self._places.of(block), self._strengths[norm], self._strengths[shortcut or block])
            for block, (norm, shortcut) in self._blocks.items()
            if norm in self._strengths and (shortcut or block) in self._strengths
        ]
        strongest: dict[str, float] = {}
        for name in filter(self._strengths.__contains__, self._paths):
            target = name.rpartition(".")[0]
            strongest[target] = max(strongest.get(target, 0.0), self._strengths[name])
        fusions = [
            PathState(name, self._places.of(name), self._strengths[name], strongest[name.rpartition(".")[0]])
            for name in self._paths
            if name in self._strengths
        ]
        several = {state.name for state in self._relus if self._calls[state.name] > 1}
        return Activity(list(_numbered(self._relus, several)), residuals, fusions)

    def _of_relu(self, name: str) -> Callable:
        def measure(module: nn.Module, inputs: object, output: Tensor) -> None:
            self._calls[name] = self._calls.get(name, 0) + 1
            if output.dim() < 2:
                return
            fires = (output > 0).transpose(0, 1).flatten(1)
            alive = fires.any(dim=1)
            zeros = 1 - float(fires.float().mean())
            self._relus.append(ReluState(name, self._places.of(name), len(alive), int((~alive).sum()), zeros))

        return measure

    def _of_output(self, name: str) -> Callable:
        return lambda module, inputs, output: self._strengths.__setitem__(name, _strength(output))

    def _of_input(self, name: str) -> Callable:
        return lambda module, inputs: self._strengths.__setitem__(name, _strength(inputs[0]))


def _residual_blocks(network: nn.Module) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Blocks with their last norm and their shortcut's projection, None for an identity; ours and the frameworks'."""
    for name, module in network.named_modules():
        children = module._modules
        if not {"conv1", "conv2", "relu"} <= set(children) or not hasattr(module, "downsample"):
            continue
        last = "3" if "conv3" in children else "2"
        norm = next((key for key, child in children.items() if key.endswith(last) and isinstance(child, _NORMS)), None)
        if norm is not None:
            shortcut = f"{name}.downsample" if children.get("downsample") is not None else None
            yield name, (f"{name}.{norm}", shortcut)


def _numbered(states: Sequence[ReluState], several: set[str]) -> Iterator[ReluState]:
    seen: dict[str, int] = {}
    for state in states:
        seen[state.name] = seen.get(state.name, 0) + 1
        label = f"{state.name} (call {seen[state.name]})" if state.name in several else state.name
        yield ReluState(label, state.place, state.channels, state.dead, state.zeros)


def _strength(values: Tensor) -> float:
    return float(values.detach().float().square().mean().sqrt())
