"""torch.compile: the network as one program, compiled at the first call for each shape."""

from __future__ import annotations

import shutil

import torch
import torch._inductor.config as inductor
from torch import Tensor, nn

from ...errors import MissingDependency
from ..exporting.shape import InputShape
from .base import Runtime, set_torch_threads
from .torch_eager import DTYPES

_COMPILERS = ("c++", "g++", "clang++", "cl")


class CompiledRuntime(Runtime):
    """Runs a network through torch.compile, its weights frozen into the program.

    Args:
        network: Folded, in evaluation mode; on any device. With `bf16` its own numbers are changed.
        precision: `fp32`, or `bf16` for weights and activations.
        threads: Of this process, for all of torch.
        shape: What the network takes, where that is limited.

    Raises:
        MissingDependency: there is no C++ compiler, which torch.compile needs for a CPU.
    """

    name = "torch-compile"
    precisions = ("fp32", "bf16")

    def __init__(
        self,
        network: nn.Module,
        precision: str = "fp32",
        threads: int | None = None,
        shape: InputShape | None = None,
    ):
        super().__init__(precision, threads, shape)
        check_compiler()
        set_torch_threads(threads)
        self.dtype = DTYPES[precision]
        network = network.to(dtype=self.dtype, memory_format=torch.channels_last).requires_grad_(False)
        self.network = torch.compile(network, dynamic=False)

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        # Freezing lets oneDNN keep weights in its own order, and compute sums and ReLUs within convolutions. It has to
        # be on when a shape is first seen: as one of torch.compile's options it comes too late for the weights to be
        # constants. Not inference_mode: freezing asks for weights that autograd knows.
        with torch.no_grad(), inductor.patch(freezing=True):
            outputs = self.network(images.to(dtype=self.dtype, memory_format=torch.channels_last))
            return tuple(output.float().contiguous() for output in outputs)


def check_compiler(otherwise: str = "choose another runtime") -> None:
    """Looks for what torch.compile compiles with.

    Args:
        otherwise: What the user can do instead of installing a compiler.

    Raises:
    MissingDependency: no C++ compiler and no GPU, for which torch.compile brings its own.
    """
    if not torch.cuda.is_available() and not any(map(shutil.which, _COMPILERS)):
        raise MissingDependency(
            "torch.compile on a CPU",
            found="no C++ compiler",
            expected="g++ or clang++",
            do=f"Install one (`apt install g++`), or {otherwise}",
        )
