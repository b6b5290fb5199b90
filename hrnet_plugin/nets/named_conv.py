"""A convolution, its norm and its activation under the names that OpenMMLab's released weights give them."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from .layers import Layers


def name_conv(conv: nn.Module, layers: Layers | None = None, channels: int | None = None) -> nn.Sequential:
    """`conv` as a module whose keys are `conv.*`; with `layers` also `bn.*` (whatever the norm is called) and a ReLU.

    Args:
        conv: The convolution.
        layers: Makes the norm after it; None for a bare convolution.
        channels: Channels of the norm, those that leave `conv`.
    """
    if layers is None:
        return name_parts(conv)
    return name_parts(conv, layers.norm(channels), nn.ReLU(inplace=True), layers.norm_name)


def name_parts(
    conv: nn.Module, norm: nn.Module | None = None, activate: nn.Module | None = None, norm_name: str = "bn"
) -> nn.Sequential:
    """`conv`, and its norm and activation where there are such, in a row: keys `conv.*` and `<norm_name>.*`."""
    parts = {"conv": conv, norm_name: norm, "activate": activate}
    return nn.Sequential(OrderedDict((name, part) for name, part in parts.items() if part is not None))
