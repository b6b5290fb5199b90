"""mmcv's `conv_cfg` and `norm_cfg` turned into the factories that the networks take."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mmcv.cnn import build_conv_layer, build_norm_layer
from torch import nn

from ..nets import Layers


def build_layers(conv_cfg: Mapping | None = None, norm_cfg: Mapping | None = None) -> Layers:
    """Factories for mmcv's layer configs.

    Args:
        conv_cfg: As in every OpenMMLab backbone; None is `dict(type='Conv2d')`.
        norm_cfg: As in every OpenMMLab backbone; None is `dict(type='BN')`. Its `requires_grad` is honoured.

    Raises:
        KeyError: from mmcv, for a type that is not registered.
    """
    conv_cfg = None if conv_cfg is None else dict(conv_cfg)
    norm_cfg = dict(norm_cfg or {"type": "BN"})

    def norm(channels: int) -> nn.Module:
        return build_norm_layer(norm_cfg, channels)[1]

    # mmcv names a norm's attribute by its kind: `bn1` for BN and SyncBN, `gn1` for GN. It says so only of a layer that
    # it builds; 32 channels suit the groups of every usual GN.
    probe_channels = 32 * norm_cfg.get("num_groups", 1)
    name = build_norm_layer(norm_cfg, probe_channels, postfix="")[0]
    return Layers(conv=partial(build_conv_layer, conv_cfg), norm=norm, norm_name=name)
