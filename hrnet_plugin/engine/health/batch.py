"""A batch as the network got it: whose images it holds, and as plain values that a safe load accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from .tensors import all_finite, tensors_in

#: Where the frameworks' boxes and masks have their numbers.
_HOLDERS = ("tensor", "masks")


def samples_in(batch: object) -> list[BaseDataElement]:
    """The data samples of a batch, one an image; empty where it has none."""
    parts = batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, Sequence) else ()
    for part in parts:
        if isinstance(part, Sequence) and part and all(isinstance(one, BaseDataElement) for one in part):
            return list(part)
    return []


def image_names(batch: object) -> list[str]:
    """The path of each image of a batch, or its place in the batch where no path is known."""
    samples = samples_in(batch)
    if not samples:
        count = next((tensor.shape[0] for tensor in tensors_in(batch) if tensor.dim()), 0)
        return [f"number {index + 1} of the batch" for index in range(count)]
    return [str(one.get("img_path") or f"number {index + 1} of the batch") for index, one in enumerate(samples)]


def broken_annotations(batch: object) -> Iterator[tuple[int, str]]:
    """The index of each image with an annotation that is not finite, and the annotation's name."""
    for index, sample in enumerate(samples_in(batch)):
        for field, value in sample.items():
            parts = value.items() if isinstance(value, BaseDataElement) else [("", value)]
            for name, part in parts:
                if not all_finite(torch.from_numpy(part) if _is_numbers(part) else part):
                    yield index, f"{field}.{name}" if name else field


def plain_batch(value: object) -> object:
    """A batch without anything that a load with `weights_only=True` refuses.

    Args:
        value: Tensors, arrays, numbers, texts, data samples, and what holds them.

    Returns:
        The same in tensors on the CPU, numbers, texts, lists, tuples and dicts; of other objects the name of the type.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, np.ndarray) and _is_numbers(value):
        return torch.from_numpy(value.copy())
    if isinstance(value, np.generic):
        return plain_batch(value.item())
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, BaseDataElement):
        return {"metainfo": plain_batch(value.metainfo), **{name: plain_batch(one) for name, one in value.items()}}
    if isinstance(value, Mapping):
        return {str(name): plain_batch(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(plain_batch(one) for one in value)
    if isinstance(value, (Sequence, Set, np.ndarray)):
        return [plain_batch(one) for one in value]
    held = next((getattr(value, name) for name in _HOLDERS if hasattr(value, name)), None)
    return f"<{type(value).__name__}>" if held is None else plain_batch(held)


def _is_numbers(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
