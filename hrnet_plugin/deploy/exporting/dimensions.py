"""Free dimensions, as torch's exporters take them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.export import Dim

from .shape import MULTIPLE, InputShape


def example_images(shape: InputShape) -> Tensor:
    """Images (N, C, H, W) to trace a network with.

    A batch of 1 would be taken for a constant where any batch is to go.
    """
    batch = max(2, shape.batch) if shape.dynamic_batch else shape.batch
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((batch, *shape.nchw[1:]), generator=generator)
    return images.contiguous(memory_format=torch.channels_last)


def free_dimensions(shape: InputShape) -> tuple[dict[int, object]] | None:
    """`dynamic_shapes` of `torch.export` for a network of one input; None where all is fixed.

    Sizes are multiples of 32: then all branches of the network are in step, which the exporter has to prove.
    """
    free: dict[int, object] = {}
    if shape.dynamic_batch:
        free[0] = Dim("batch")
    if shape.dynamic_size:
        free[2] = MULTIPLE * Dim("rows", min=2, max=256)
        free[3] = MULTIPLE * Dim("columns", min=2, max=256)
    return (free,) if free else None
