"""Activation memory: what a forward pass keeps for the backward pass, module by module, without computing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode

from .dry_run import following, run_without_values, state_without_values


def count_activation_memory(
    module: nn.Module,
    input_size: tuple[int, int],
    in_channels: int = 3,
    options: Mapping[str, object] | None = None,
    batch: int = 1,
) -> dict[str, int]:
    """Bytes of the tensors that autograd keeps from a forward pass in training mode, parameters left out.

    A tensor that several modules keep is counted once, at the first of them. Recomputation (`with_cp`) is left out: the
    figure is what there would be to save. What is kept depends on what is frozen. Where a map is so small that batch
    norms refuse a single image, it is half of what two leave.

    Args:
        module: The network; it is called with (batch, in_channels, height, width), and left as it was.
        input_size: (width, height) of the images.
        in_channels: Channels of the images.
        options: Further arguments of its `forward`: `{"data_samples": None}` for a model of mmpose.
        batch: Number of images.

    Returns:
        Bytes by the name of the module, for those that keep something, in the order in which they do.
    """
    try:
        return _count(module, input_size, in_channels, options, batch)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        # Maps of one pixel: batch norms train on two images or more.
        doubled = _count(module, input_size, in_channels, options, 2 * batch)
        return {name: kept // 2 for name, kept in doubled.items()}


def _count(
    module: nn.Module,
    input_size: tuple[int, int],
    in_channels: int,
    options: Mapping[str, object] | None,
    batch: int,
) -> dict[str, int]:
    kept: dict[str, int] = {}
    state = state_without_values(module)
    # Storages are held, so that no new one takes the place of one that was let go.
    seen = {_identity(value): value.untyped_storage() for value in state.values()}

    def keep(tensor: Tensor) -> Tensor:
        if _identity(tensor) not in seen:
            seen[_identity(tensor)] = tensor.untyped_storage()
            kept[followed.name] = kept.get(followed.name, 0) + tensor.untyped_storage().nbytes()
        return tensor

    with following(module) as followed, _without_recomputation(module), torch.enable_grad():
        module.train()
        with saved_tensors_hooks(keep, lambda tensor: tensor), _RealStatistics():
            run_without_values(module, state, input_size, in_channels, options, batch)
    return kept


def _identity(tensor: Tensor) -> int:
    """Of its storage, which views share; tensors without values have no address."""
    return tensor.untyped_storage()._cdata


class _RealStatistics(TorchDispatchMode):
    """Batch norms keep a mean and a deviation of each channel in training and nothing in evaluation mode.

    Without values, torch takes a norm apart and keeps them in both.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket is not torch.ops.aten.native_batch_norm:
            return func(*args, **(kwargs or {}))
        images, training = args[0], args[5]
        kept = images.shape[1] if training else 0
        return torch.empty_like(images), images.new_empty(kept), images.new_empty(kept)


@contextmanager
def _without_recomputation(network: nn.Module) -> Iterator[None]:
    recomputing = [module for module in network.modules() if getattr(module, "with_cp", False)]
    before = [module.with_cp for module in recomputing]
    for module in recomputing:
        module.with_cp = False
    try:
        yield
    finally:
        for module, value in zip(recomputing, before, strict=True):
            module.with_cp = value
