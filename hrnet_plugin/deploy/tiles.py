"""Segmentation in tiles: `mode='slide'` of a config."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def tiled(
    images: Tensor, logits_of: Callable[[Tensor], Tensor], crop: tuple[int, int], stride: tuple[int, int]
) -> Tensor:
    """The mean of what overlapping tiles give.

    Args:
        images: (N, C, H, W).
        logits_of: Takes a tile (N, C, h, w) to its logits (N, classes, h, w).
        crop: (height, width) of a tile; those of a smaller image are its own.
        stride: (vertical, horizontal) from tile to tile. The last ones are moved back inside.

    Returns:
        (N, classes, H, W).
    """
    height, width = images.shape[2:]
    total, count = None, images.new_zeros(1, 1, height, width)
    for top in _starts(height, crop[0], stride[0]):
        for left in _starts(width, crop[1], stride[1]):
            rows, columns = slice(top, top + crop[0]), slice(left, left + crop[1])
            logits = logits_of(images[:, :, rows, columns])
            if total is None:
                total = images.new_zeros(*logits.shape[:2], height, width)
            total[:, :, rows, columns] += logits
            count[:, :, rows, columns] += 1
    return total / count


def _starts(length: int, tile: int, stride: int) -> list[int]:
    last = max(length - tile, 0)
    return [min(index * stride, last) for index in range(-(-last // stride) + 1)]
