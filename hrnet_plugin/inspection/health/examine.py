"""The whole examination of a network on one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...findings import ERROR, NOTE, Finding, worst_first
from ..places import Place
from .activity import Activity, activity_findings, examine_activity
from .gradients import Squares, examine_gradients, gradient_findings
from .norms import NormState, examine_norms, norm_findings

#: Losses of the two modes that differ by more than this factor are of two different networks.
APART = 5
_CAUSES = {
    "training": "The norms' running statistics are not those of the data: batches too small, training too short after "
    "a change of data, statistics not saved, or a network frozen in part",
    "evaluation": "The norms do not work on the statistics of a batch: they were folded into the convolutions (then "
    "training must keep them in evaluation mode, norm_eval=True), or the batch is too small for them",
}


@dataclass(frozen=True)
class HealthReport:
    """What an examination found.

    Args:
        findings: In words, worst first: errors before notes, and what concerns more of the network before the rest.
        norms: Of all batch norms.
        gradients: Weights and gradients by place.
        activity: Of ReLUs, residual blocks and fuse paths, in evaluation mode.
        loss: Of the batch in training mode, where norms take the statistics of the batch.
        loss_in_evaluation: The same in evaluation mode, where they take those that were learnt.
    """

    findings: list[Finding]
    norms: list[NormState]
    gradients: Mapping[Place, Squares]
    activity: Activity
    loss: float
    loss_in_evaluation: float


def examine(network: nn.Module, predict: Callable[[], object], loss: Callable[[], Tensor]) -> HealthReport:
    """Examines a network; weights, statistics, gradients and modes are left as they were.

    Args:
        network: With the weights to be looked at.
        predict: Runs it on a batch, as it is used.
        loss: Runs it on the same batch in training and gives the loss, a number.
    """
    norms = examine_norms(network)
    with _as_before(network):
        network.eval()
        activity = examine_activity(network, predict)
        with torch.no_grad():
            evaluated = float(loss())
        network.train()
        network.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        trained = float(value.detach())
        gradients = examine_gradients(network)
        found = [
            *_loss_findings(trained, evaluated),
            *norm_findings(norms),
            *gradient_findings(network, gradients),
            *activity_findings(activity),
        ]
    findings = worst_first(sorted(found, key=lambda finding: -finding.count))
    return HealthReport(findings, norms, gradients, activity, trained, evaluated)


def _loss_findings(trained: float, evaluated: float) -> Iterator[Finding]:
    """What the losses of the two modes say of each other."""
    for name, value in (("training", trained), ("evaluation", evaluated)):
        if not math.isfinite(value):
            yield Finding(
                ERROR, "loss-not-finite", f"loss in {name} mode", str(value), "a number",
                "Look at the other findings: what is not finite before it; else at the labels of the batch",
            )  # fmt: skip
    low, high = sorted((trained, evaluated))
    if math.isfinite(high) and high > APART * max(low, 0) and high > 0:
        better = "training" if trained < evaluated else "evaluation"
        yield Finding(
            NOTE,
            "loss-modes-apart",
            "loss of the same batch",
            f"{trained:.4g} in training mode, {evaluated:.4g} in evaluation mode",
            f"less than {APART} times apart",
            f"{_CAUSES[better]}",
        )


@contextmanager
def _as_before(network: nn.Module) -> Iterator[None]:
    """Puts buffers, gradients and modes back at the end."""
    buffers = {name: value.detach().clone() for name, value in network.named_buffers()}
    gradients = {name: value.grad for name, value in network.named_parameters()}
    modes = {module: module.training for module in network.modules()}
    for parameter in network.parameters():
        parameter.grad = None
    try:
        yield
    finally:
        for name, value in network.named_buffers():
            value.detach().copy_(buffers[name])
        for name, parameter in network.named_parameters():
            parameter.grad = gradients[name]
        for module, mode in modes.items():
            module.training = mode
