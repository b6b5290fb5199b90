"""torch itself, operation by operation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..exporting.shape import InputShape
from .base import Runtime, cached_batch, set_torch_threads

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class TorchRuntime(Runtime):
    """Runs a network in torch, channels last; on a CPU a large batch in parts.

    Args:
        network: Folded, in evaluation mode; on any device. With `bf16` its own numbers are changed.
        precision: `fp32`, or `bf16` for weights and activations.
        threads: Of this process, for all of torch.
        shape: What the network takes, where that is limited.
    """

    name = "torch"
    precisions = ("fp32", "bf16")

    def __init__(
        self,
        network: nn.Module,
        precision: str = "fp32",
        threads: int | None = None,
        shape: InputShape | None = None,
    ):
        super().__init__(precision, threads, shape)
        set_torch_threads(threads)
        self.dtype = DTYPES[precision]
        self.network = network.to(dtype=self.dtype, memory_format=torch.channels_last)

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        with torch.inference_mode():
            found = [self._part(part) for part in images.split(cached_batch(images))]
            return found[0] if len(found) == 1 else tuple(map(torch.cat, zip(*found, strict=True)))

    def _part(self, images: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(images.to(dtype=self.dtype, memory_format=torch.channels_last))
        return tuple(output.float().contiguous() for output in outputs)
