"""The call that every runtime answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ...errors import ConfigError

#: How a runtime computes: `int8` needs a network that was calibrated.
PRECISIONS = ("fp32", "bf16", "int8")


class Runtime(ABC):
    """A network that is ready to be called.

    Args:
        precision: One of the class's `precisions`.
        threads: Of the CPU; None leaves the choice to the runtime.

    Raises:
        ConfigError: a precision that the runtime has not.
    """

    #: By which the command line knows it.
    name: ClassVar[str]
    #: Those of `PRECISIONS` that it has.
    precisions: ClassVar[tuple[str, ...]]

    def __init__(self, precision: str = "fp32", threads: int | None = None):
        if precision not in self.precisions:
            raise ConfigError(
                f"precision of runtime {self.name}", found=precision, expected=" or ".join(self.precisions)
            )
        self.precision = precision
        self.threads = threads

    @abstractmethod
    def __call__(self, images: Tensor) -> tuple[Tensor, ...]:
        """(N, C, H, W) in float32 to the network's outputs in float32, on the CPU or the device of `images`.

        Raises:
            ConfigError: a batch or size other than the one that a fixed-size export allows.
        """
