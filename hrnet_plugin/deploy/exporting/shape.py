"""Which inputs an exported network takes."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ConfigError

#: The lowest resolution of an HRNet is a 32nd of the image's.
MULTIPLE = 32


@dataclass(frozen=True)
class InputShape:
    """Fixed or free batch and size.

    Args:
        size: (width, height) in pixels; where `dynamic_size` holds, the one that the network is traced with.
        batch: Images a call; where `dynamic_batch` holds, the one that the network is traced with.
        dynamic_batch: Any number of images.
        dynamic_size: Any width and height that are multiples of 32, from 64 on.
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

    def check(self, nchw: tuple[int, ...], what: str) -> None:
        """Compares the shape of images, (N, C, H, W), with what the network takes.

        Raises:
            ConfigError: they do not fit; names the size and what to do.
        """
        if len(nchw) != 4 or nchw[1] != self.channels:
            raise ConfigError(what, found=f"shape {nchw}", expected=f"(N, {self.channels}, H, W)")
        batch, _, height, width = nchw
        if not self.dynamic_batch and batch != self.batch:
            raise ConfigError(
                what,
                found=f"{batch} at once",
                expected=f"{self.batch}, the fixed batch of this export",
                do="Export with --batch dynamic for any number",
            )
        if not self.dynamic_size and (width, height) != self.size:
            raise ConfigError(
                what,
                found=f"{width}x{height}",
                expected=f"{self.size[0]}x{self.size[1]}, the fixed size of this export",
                do="Export with --size dynamic, or with the size that you need",
            )
        if self.dynamic_size and (width % MULTIPLE or height % MULTIPLE or min(width, height) < 2 * MULTIPLE):
            raise ConfigError(
                what,
                found=f"{width}x{height}",
                expected=f"width and height that are multiples of {MULTIPLE}, from {2 * MULTIPLE} on",
                do="Pad the image, or export with that very size",
            )
