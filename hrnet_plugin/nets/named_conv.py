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
    parts = OrderedDict(conv=conv)
    if layers is not None:
        parts[layers.norm_name] = layers.norm(channels)
        parts["activate"] = nn.ReLU(inplace=True)
    return nn.Sequential(parts)
