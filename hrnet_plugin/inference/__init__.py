"""A trained network on somebody's own pictures and videos.

Example:
    >>> predictor = hrnet_plugin.load("hrnet_w32_coco", "epoch_210.pth")  # doctest: +SKIP
    >>> predictions = predictor(["a.jpg", "b.jpg"], [boxes_of_a, boxes_of_b])  # doctest: +SKIP
    >>> hrnet_plugin.inference.draw("a.jpg", predictions[0], "drawn.jpg")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import draw

__all__ = ["draw"]


def __getattr__(name: str):
    # Loaded at first use: finding files and reading boxes needs no torch.
    if name == "draw":
        from .drawing import draw

        return draw
    raise AttributeError(f"module 'hrnet_plugin.inference' has no attribute {name!r}")
