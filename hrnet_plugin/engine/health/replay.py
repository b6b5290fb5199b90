"""A batch run again, with the same random state, to name what was not finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from mmengine.dist import get_rank
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from hrnet_plugin.inspection.places import OTHER, Places
from hrnet_plugin.wording import in_short

from .batch import broken_annotations, image_names
from .before_step import BeforeStep
from .culprit import Culprit, Finding
from .gradients import GradientWatch
from .outputs import OutputWatch
from .tensors import all_finite, broken_images


def run_again(network: nn.Module, batch: object, wrapper: OptimWrapper, before: BeforeStep, backward: bool) -> Finding:
    """Runs a batch as it ran before, eagerly and with a look at every module.

    Synchronised norms speak to the other ranks: all of them have to run their batches at the same time, and each runs
    to its end.

    Args:
        network: The model, not wrapped.
        batch: What its preprocessor gave.
        wrapper: Its way to autocast and scale.
        before: The state to start from, which is put back at the end as well.
        backward: Look at the gradients, too.
    """
    names = tuple(image_names(batch))
    outputs, gradients = OutputWatch(network, len(names)), GradientWatch(network, len(names))
    losses: Mapping[str, Tensor] = {}
    culprit, remark = None, ""
    before.put_back()
    try:
        with _eager(network), gradients.watching() if backward else outputs.watching():
            with wrapper.optim_context(network):
                given = network._run_forward(batch, mode="loss")
            loss, losses = network.parse_losses(given)
            gradients.forward_over()
            found = gradients.after_all(_gradients(network, loss, wrapper)) if backward else outputs.after_all(losses)
        culprit = _in_images(batch, len(names)) or found
    except Exception as error:  # somebody's model may do anything with such numbers: the fault is told all the same
        remark = f"running the batch again failed: {in_short(error)}"
    finally:
        before.put_back()
    if culprit is not None and culprit.order and not backward:
        culprit = _with_annotations(culprit, batch)
    values = tuple((name, float(value.detach())) for name, value in losses.items() if isinstance(value, Tensor))
    return Finding(get_rank(), names, culprit, values, _place(network, culprit), remark)


def _place(network: nn.Module, culprit: Culprit | None) -> str:
    place = Places(network).of(culprit.where) if culprit and culprit.where else None
    return "" if place is None or place.part == OTHER else place.label


def _gradients(network: nn.Module, loss: Tensor, wrapper: OptimWrapper) -> dict[str, Tensor]:
    """Of the parameters; what they have accumulated stays as it is, and other ranks are not asked."""
    scaler = getattr(wrapper, "loss_scaler", None)
    named = {name: one for name, one in network.named_parameters() if one.requires_grad}
    found = torch.autograd.grad(loss if scaler is None else scaler.scale(loss), list(named.values()), allow_unused=True)
    return {name: gradient for name, gradient in zip(named, found, strict=True) if gradient is not None}


def _in_images(batch: object, count: int) -> Culprit | None:
    inputs = batch.get("inputs") if isinstance(batch, Mapping) else None
    if isinstance(inputs, list):  # images of different sizes
        broken = tuple(index for index, image in enumerate(inputs) if not all_finite(image))
    else:
        broken = broken_images(inputs, count)
    return Culprit(0, "", "the images themselves, as they come out of the data pipeline", broken) if broken else None


def _with_annotations(culprit: Culprit, batch: object) -> Culprit:
    broken = dict(broken_annotations(batch))
    if not broken:
        return culprit
    fields = ", ".join(sorted({*broken.values()}))
    words = f"{culprit.words}; of the annotations, {fields} holds values that are not finite"
    return Culprit(culprit.order, culprit.where, words, tuple(sorted(broken)))


@contextmanager
def _eager(network: nn.Module) -> Iterator[None]:
    """Lets compiled modules rest: what runs inside them calls no hooks."""
    compiled = {module: call for module in network.modules() if (call := module._compiled_call_impl) is not None}
    for module in compiled:
        module._compiled_call_impl = None
    try:
        yield
    finally:
        for module, call in compiled.items():
            module._compiled_call_impl = call
