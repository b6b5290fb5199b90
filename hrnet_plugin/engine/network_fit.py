"""Whether the parts of a network fit: the channels that a head expects against those that reach it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import nn

from hrnet_plugin.errors import ConfigError

_CHANNELS = re.compile(r"expected input\[.*?\] to have (\d+) channels, but got (\d+) channels")
_HEADS = ("head", "decode_head", "auxiliary_head")


def check_network(model: nn.Module, cfg: Mapping) -> None:
    """Run a small empty image through backbone and neck and compare what comes out with what the heads take.

    Heads are checked whose way of choosing features is known: mmseg's decode heads (`in_index`, `input_transform`)
    and mmpose's heads (the last feature). A network that cannot take an image of 64x64 pixels is not checked.

    Args:
        model: The network, not wrapped.
        cfg: Its config, for the values as the user wrote them.

    Raises:
        ConfigError: the neck's or a head's `in_channels` does not fit what comes before it.
    """
    channels = _feature_channels(model)
    if channels is None:
        return
    for path, head, head_cfg in _heads(model, cfg):
        needed = _selected(path, head, channels)
        if needed is None or _as_head_stores(head, needed) == head.in_channels:
            continue
        raise ConfigError(
            f"{path}.in_channels",
            found=_plain(head_cfg.get("in_channels", head.in_channels)),
            expected=f"{_plain(needed)}, the channels of the features that reach it",
            do=f"Set {path}.in_channels to {_plain(needed)}",
        )


def named_channel_mismatch(error: Exception) -> tuple[int, int] | None:
    """(needed, found) channels, where `error` is torch's about a convolution that got the wrong number."""
    match = _CHANNELS.search(str(error))
    return (int(match[1]), int(match[2])) if match else None


def _feature_channels(model: nn.Module) -> list[int] | None:
    backbone, neck = getattr(model, "backbone", None), getattr(model, "neck", None)
    first = next((layer for layer in backbone.modules() if isinstance(layer, nn.Conv2d)), None) if backbone else None
    if first is None:
        return None
    training = {module: module.training for module in model.modules()}
    image = torch.zeros(1, first.in_channels, 64, 64, device=first.weight.device, dtype=first.weight.dtype)
    try:
        with torch.no_grad():
            model.eval()
            features = backbone(image)
            features = features if isinstance(features, (list, tuple)) else (features,)
            if neck is not None:
                features = _through_neck(neck, features)
        return [feature.shape[1] for feature in features]
    except ConfigError:
        raise
    except Exception:  # somebody's network with needs of its own: training will tell
        return None
    finally:
        for module, mode in training.items():
            module.training = mode


def _through_neck(neck: nn.Module, features: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    try:
        result = neck(features)
    except RuntimeError as error:
        mismatch = named_channel_mismatch(error)
        if mismatch is None:
            raise
        raise ConfigError(
            "model.neck",
            found=f"a layer for {mismatch[0]} channels where {mismatch[1]} arrive",
            expected=f"in_channels for features of {_plain([item.shape[1] for item in features])} channels",
        ) from error
    return result if isinstance(result, (list, tuple)) else (result,)


def _heads(model: nn.Module, cfg: Mapping) -> Iterator[tuple[str, nn.Module, Mapping]]:
    for name in _HEADS:
        head, head_cfg = getattr(model, name, None), cfg.get(name)
        if isinstance(head, nn.ModuleList) and isinstance(head_cfg, (list, tuple)):
            for index, (item, item_cfg) in enumerate(zip(head, head_cfg, strict=True)):
                yield f"model.{name}[{index}]", item, item_cfg
        elif isinstance(head, nn.Module) and isinstance(head_cfg, Mapping):
            yield f"model.{name}", head, head_cfg


def _selected(path: str, head: nn.Module, channels: list[int]) -> int | list[int] | None:
    """The channels that the head will get, or None where its way of choosing is not known."""
    if not hasattr(head, "in_channels"):
        return None
    if _is_from(head, "_transform_inputs", "mmseg."):
        try:
            if head.input_transform is None:
                return channels[head.in_index]
            return [channels[index] for index in head.in_index]
        except IndexError:
            raise ConfigError(
                f"{path}.in_index",
                found=_plain(head.in_index),
                expected=f"indices of {len(channels)} features",
                do="Let the backbone give all scales (multiscale_output=True), or choose others",
            ) from None
    if _is_from(head, "forward", "mmpose.") and isinstance(head.in_channels, int):
        return channels[-1]
    return None


def _as_head_stores(head: nn.Module, needed: int | list[int]) -> int | list[int]:
    if isinstance(needed, list) and head.input_transform == "resize_concat":
        return sum(needed)
    return type(head.in_channels)(needed) if isinstance(needed, list) else needed


def _is_from(head: nn.Module, method: str, package: str) -> bool:
    """Whether the method is the framework's own: somebody's head may choose its features in another way."""
    return getattr(getattr(type(head), method, None), "__module__", "").startswith(package)


def _plain(value: object) -> str:
    return str(list(value)) if isinstance(value, (list, tuple)) else str(value)
