"""Tensors in what modules take and give, and whether they are numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from hrnet_plugin.inspection import capture


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors of floating point in a value, which alone can be not finite."""
    return (tensor for tensor in capture.tensors_in(value) if tensor.is_floating_point())


def replaced_tensors(value: object, replacement: Callable[[Tensor], Tensor]) -> object:
    """A value with others in the place of its tensors; what is no list, tuple or dict stays as it is."""
    if isinstance(value, Tensor):
        return replacement(value)
    if type(value) is dict:
        return {name: replaced_tensors(one, replacement) for name, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(replaced_tensors(one, replacement) for one in value)
    return value


def all_finite(value: object) -> bool:
    """Whether all tensors in a value are free of NaN and infinity."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors_in(value))


def largest(value: object) -> float:
    """The largest absolute value of all tensors in a value; 0 where there is none."""
    return max((float(tensor.detach().abs().max()) for tensor in tensors_in(value) if tensor.numel()), default=0.0)


def broken_images(value: object, count: int) -> tuple[int, ...]:
    """The indices of the images of a batch for which a tensor in `value` is not finite.

    Args:
        value: Tensors; those whose first dimension is the batch tell the images apart.
        count: How many images the batch has.
    """
    broken = set()
    for tensor in tensors_in(value):
        if tensor.dim() and tensor.shape[0] == count:
            finite = torch.isfinite(tensor).reshape(count, -1).all(dim=1)
            broken |= {index for index, good in enumerate(finite.tolist()) if not good}
    return tuple(sorted(broken))
