"""Batch norms: statistics that are no numbers, channels that are constant or out of hand, norms that never learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...findings import ERROR, NOTE, Finding
from ..places import Place, Places

#: A standard deviation beyond which float16 has little room left (its largest number is 65504).
EXPLODED = 1e4
#: Share of a norm's channels from which on dead ones are worth a word, and from which on little is left of it.
_MANY, _MOST = 0.1, 0.9


@dataclass(frozen=True)
class NormState:
    """What the running statistics of one batch norm say.

    Args:
        name: Of the module.
        place: Where it stands.
        channels: How many it has.
        not_finite: Channels whose statistics are NaN, infinite or a negative variance.
        constant: Channels whose variance is below the norm's `eps`: what enters them is the same everywhere.
        exploded: Channels whose standard deviation is above `EXPLODED`.
        silent: Channels with weight and bias 0: nothing leaves them.
        untouched: The statistics are those from before the first batch.
    """

    name: str
    place: Place
    channels: int
    not_finite: int
    constant: int
    exploded: int
    silent: int
    untouched: bool


def examine_norms(network: nn.Module) -> list[NormState]:
    """The states of all batch norms that keep statistics, in the network's order."""
    places = Places(network)
    return [
        _state(name, places.of(name), module)
        for name, module in network.named_modules()
        if isinstance(module, _BatchNorm) and module.running_var is not None
    ]


def norm_findings(states: list[NormState]) -> Iterator[Finding]:
    """What is wrong with batch norms."""
    yield from _broken(states)
    yield from _grouped(
        states, "constant", "norm-constant", "constant channels (variance below eps)",
        "What enters them is the same for every image: dead ReLUs before them, weights driven to 0 by too large a "
        "learning rate or weight decay",
    )  # fmt: skip
    yield from _grouped(
        states, "silent", "norm-silent", "channels with weight and bias 0",
        "Nothing passes them: pruned, decayed to 0, or begun as an identity (zero_init_residual) and never trained",
    )  # fmt: skip
    for state in states:
        if state.exploded:
            yield Finding(
                NOTE,
                "norm-exploded",
                state.name,
                f"{state.exploded} of {state.channels} channels with a standard deviation above {EXPLODED:g}",
                "",
                "Activations grow out of hand, float16 overflows: lower the learning rate, warm up, clip gradients",
                state.exploded,
            )
    untouched = [state for state in states if state.untouched]
    if untouched:
        which = "all" if len(untouched) == len(states) else f"{len(untouched)} of"
        yield Finding(
            NOTE,
            "norm-untouched",
            "batch norms",
            f"{which} {len(states)} as before the first batch (mean 0, variance 1)",
            "statistics of the training data",
            "Weights whose norms were folded into convolutions look so, and are sound. Otherwise the checkpoint is not "
            "trained, or its statistics were not saved",
            len(untouched),
            tuple(state.name for state in untouched[:3]),
        )


def _broken(states: list[NormState]) -> Iterator[Finding]:
    broken = [state for state in states if state.not_finite]
    if broken:
        yield Finding(
            ERROR,
            "norm-not-finite",
            broken[0].name,
            f"running statistics that are NaN, infinite or negative, here and in {len(broken) - 1} more norms"
            if len(broken) > 1
            else "running statistics that are NaN, infinite or negative",
            "numbers",
            "One batch with NaN went through in training; the loss may have recovered, the statistics do not. Take an "
            "earlier checkpoint, and train with TrainingHealthHook, which puts them back",
            len(broken),
            tuple(state.name for state in broken[:3]),
        )


def _grouped(states: list[NormState], field: str, check: str, words: str, cause: str) -> Iterator[Finding]:
    """One finding for the norms in which many channels are so, worst first."""
    shares = sorted(((getattr(state, field) / state.channels, state) for state in states), key=lambda one: -one[0])
    many = [(share, state) for share, state in shares if share >= _MANY]
    if many:
        worst, state = many[0]
        yield Finding(
            ERROR if worst >= _MOST and state.channels > 1 and len(many) > len(states) // 2 else NOTE,
            check,
            state.name,
            f"{getattr(state, field)} of {state.channels} {words}; {len(many)} of {len(states)} norms have "
            f"{100 * _MANY:.0f} % or more",
            "",
            cause,
            len(many),
            tuple(f"{one.name}: {100 * share:.0f} %" for share, one in many[1:4]),
        )


def _state(name: str, place: Place, norm: _BatchNorm) -> NormState:
    mean, variance = norm.running_mean.detach().float(), norm.running_var.detach().float()
    sound = torch.isfinite(mean) & torch.isfinite(variance) & (variance >= 0)
    # Folding leaves 1 - eps where training would begin with 1.
    untouched = bool((mean == 0).all() and (variance == variance[0]).all() and abs(variance[0] - 1) <= 2 * norm.eps)
    silent = torch.zeros_like(sound)
    if norm.affine:
        silent = (norm.weight.detach() == 0) & (norm.bias.detach() == 0)
    return NormState(
        name,
        place,
        len(mean),
        not_finite=int((~sound).sum()),
        constant=int((sound & (variance < norm.eps)).sum()),
        exploded=int((sound & (variance > EXPLODED**2)).sum()),
        silent=int(silent.sum()),
        untouched=untouched,
    )
