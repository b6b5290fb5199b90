"""Which inputs an exported network takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputShape:
    """Fixed or free batch and size.

    Args:
        size: (width, height) in pixels; where `dynamic_size` holds, the one that the network is traced with.
        batch: Images a call; where `dynamic_batch` holds, the one that the network is traced with.
        dynamic_batch: Any number of images.
        dynamic_size: Any size that the network allows.
        channels: Of an image.
    """

    size: tuple[int, int]
    batch: int = 1
    dynamic_batch: bool = False
    dynamic_size: bool = False
    channels: int = 3

    @property
    def nchw(self) -> tuple[int, int, int, int]:
        """(N, C, H, W) of an example."""
        return (self.batch, self.channels, self.size[1], self.size[0])
