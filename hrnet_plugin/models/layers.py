"""mmcv's `conv_cfg` and `norm_cfg` turned into the factories that the networks take."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.registry import MODELS
from torch import nn

from ..errors import ConfigError
from ..nets import Layers


def build_layers(conv_cfg: Mapping | None = None, norm_cfg: Mapping | None = None) -> Layers:
    """Factories for mmcv's layer configs.

    Args:
        conv_cfg: As in every OpenMMLab backbone; None is `dict(type='Conv2d')`.
        norm_cfg: As in every OpenMMLab backbone; None is `dict(type='BN')`. Its `requires_grad` is honoured.

    Raises:
        ConfigError: for a config that is no dict, or whose type no registry knows.
    """
    conv_cfg = None if conv_cfg is None else _checked("conv_cfg", conv_cfg)
    norm_cfg = _checked("norm_cfg", {"type": "BN"} if norm_cfg is None else norm_cfg)
    if norm_cfg["type"] == "GN" and "num_groups" not in norm_cfg:
        raise ConfigError("norm_cfg.num_groups", found="nothing", expected="the number of groups of GN")

    def norm(channels: int) -> nn.Module:
        return build_norm_layer(norm_cfg, channels)[1]

    # mmcv names a norm's attribute by its kind: `bn1` for BN and SyncBN, `gn1` for GN. It says so only of a layer that
    # it builds; 32 channels suit the groups of every usual GN.
    probe_channels = 32 * norm_cfg.get("num_groups", 1)
    name = build_norm_layer(norm_cfg, probe_channels, postfix="")[0]
    return Layers(conv=partial(build_conv_layer, conv_cfg), norm=norm, norm_name=name)


def _checked(field: str, config: Mapping) -> dict:
    if not isinstance(config, Mapping) or "type" not in config:
        raise ConfigError(field, found=repr(config), expected="a dict with a type, such as dict(type='BN')")
    kind = config["type"]
    if isinstance(kind, str) and MODELS.get(kind) is None:
        raise ConfigError(
            f"{field}.type", found=repr(kind), expected="a registered layer, such as BN, SyncBN, GN, Conv2d"
        )
    # mmengine marks what a config takes by name from another package's base, and mmcv would hand the mark to the layer.
    return {key: value for key, value in config.items() if key != "_scope_"}
