"""The call that every runtime answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from ...errors import ConfigError
from ..exporting.shape import InputShape

#: How a runtime computes: `int8` needs a network that was calibrated.
PRECISIONS = ("fp32", "bf16", "int8")
#: Of one call on a CPU. The features of more leave its caches: of 64 crops of 256x192 at once, W32 took 1.27 times as
#: long for each as of eight in torch; of 32, 1.10 times in OpenVINO and 1.04 times in ONNX Runtime.
_PIXELS = 8 * 256 * 192


class Runtime(ABC):
    """A network that is ready to be called.

    Args:
        precision: One of the class's `precisions`.
        threads: Of the CPU; None leaves the choice to the runtime.
        shape: What the network takes, where that is limited.

    Raises:
        ConfigError: a precision that the runtime has not.
    """

    #: By which the command line knows it.
    name: ClassVar[str]
    #: Those of `PRECISIONS` that it has.
    precisions: ClassVar[tuple[str, ...]]

    def __init__(self, precision: str = "fp32", threads: int | None = None, shape: InputShape | None = None):
        check_precision(type(self), precision)
        self.precision = precision
        self.threads = threads
        self.shape = shape

    def __call__(self, images: Tensor) -> tuple[Tensor, ...]:
        """(N, C, H, W) in float32 to the network's outputs in float32, on the CPU or the device of `images`.

        Raises:
            ConfigError: a batch or size other than the one that a fixed-size export allows.
        """
        if self.shape is not None:
            self.shape.check(tuple(images.shape), f"images for runtime {self.name}")
        return self._compute(images)

    def in_batches(self, images: Tensor, most: int | None = None) -> tuple[Tensor, ...]:
        """The same for any number of images: a fixed batch is filled up with its last image.

        Args:
            images: (N, C, H, W).
            most: How many at once where any number goes; None for all.
        """
        fixed = self.shape.batch if self.shape is not None and not self.shape.dynamic_batch else None
        found = []
        for part in images.split(fixed or most or len(images)):
            missing = fixed - len(part) if fixed else 0
            filled = torch.cat([part, part[-1:].expand(missing, -1, -1, -1)]) if missing else part
            found.append(tuple(output[: len(part)] for output in self(filled)))
        return found[0] if len(found) == 1 else tuple(map(torch.cat, zip(*found, strict=True)))

    @abstractmethod
    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        """What `__call__` says, for images whose shape has been checked."""


def check_precision(runtime: type[Runtime], precision: str) -> None:
    """Raises:
    ConfigError: a precision that the runtime has not.
    """
    if precision not in runtime.precisions:
        raise ConfigError(
            f"precision of runtime {runtime.name}", found=precision, expected=" or ".join(runtime.precisions)
        )


def cached_batch(images: Tensor) -> int:
    """How many of some images (N, C, H, W) are best computed at once: on a CPU, as many as stay in its caches."""
    return cached_images(images[0, 0].numel()) if images.is_cpu and len(images) else len(images) or 1


def cached_images(pixels: int) -> int:
    """How many images of so many pixels stay in the caches of a CPU."""
    return max(1, _PIXELS // pixels)


def set_torch_threads(threads: int | None) -> None:
    """torch's threads belong to the process: the last one who sets them decides."""
    if threads is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
