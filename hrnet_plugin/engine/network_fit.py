"""Whether the parts of a network fit: the channels that a neck and a head expect against those that reach them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from hrnet_plugin.errors import ConfigError

_CHANNELS = re.compile(r"expected input\[.*?\] to have (\d+) channels, but got (\d+) channels")
_HEADS = ("head", "decode_head", "auxiliary_head", "rpn_head", "bbox_head")
#: Of the image that is run through: small, and whole at every stride.
_SIZE = (64, 64)


def check_network(model: nn.Module, cfg: Mapping) -> None:
    """Run a small empty image through backbone and neck and compare what comes out with what the heads take.

    Heads are checked whose way of choosing features is known: mmseg's decode heads (`in_index`, `input_transform`),
    mmpose's and mmpretrain's heads (the last feature) and mmdet's dense heads (every feature). A network that cannot
    take an image of 64x64 pixels is not checked.

    Args:
        model: The network, not wrapped.
        cfg: Its config, for the values as the user wrote them.

    Raises:
        ConfigError: the neck's or a head's `in_channels` does not fit what comes before it.
    """
    try:
        features = feature_maps(model)
    except ConfigError as error:
        raise neck_fault(error, cfg) from error
    except Exception:  # somebody's network with needs of its own: training will tell
        return
    if features is not None:
        for fault in head_faults(model, cfg, [feature.shape[1] for feature in features]):
            raise fault


def feature_maps(model: nn.Module, size: tuple[int, int] = _SIZE) -> list[Tensor] | None:
    """What reaches the heads from one empty image; the network's mode, train or eval, stays as it is.

    Args:
        model: With a `backbone` and, where there is one, a `neck`, on any device, the one without memory included.
        size: (height, width) of the image.

    Returns:
        The feature maps, each (1, C, H, W); None for a network without a backbone of convolutions, or of one that
        gives something else, such as feature maps of several stages.

    Raises:
        ConfigError: the neck was built for other channels.
        Exception: whatever backbone or neck raise for such an image.
    """
    backbone, neck = getattr(model, "backbone", None), getattr(model, "neck", None)
    first = next((layer for layer in backbone.modules() if isinstance(layer, nn.Conv2d)), None) if backbone else None
    if first is None:
        return None
    training = {module: module.training for module in model.modules()}
    image = torch.zeros(1, first.in_channels, *size, device=first.weight.device, dtype=first.weight.dtype)
    try:
        with torch.no_grad():
            model.eval()
            features = backbone(image)
            features = features if isinstance(features, (list, tuple)) else (features,)
            if neck is not None:
                features = _through_neck(neck, features)
        return list(features) if all(isinstance(feature, Tensor) for feature in features) else None
    finally:
        for module, mode in training.items():
            module.training = mode


def head_faults(model: nn.Module, cfg: Mapping, channels: list[int]) -> Iterator[ConfigError]:
    """What each head of a network expects in vain, the key of its config first.

    Args:
        model, cfg: As :func:`check_network` takes them; heads that `model` does not have are left out.
        channels: Those of the feature maps that reach the heads.
    """
    for path, head, head_cfg in _heads(model, cfg):
        try:
            needed = _selected(path, head, channels)
        except ConfigError as fault:
            yield fault
            continue
        if needed is None or _as_head_stores(head, needed) == head.in_channels:
            continue
        yield ConfigError(
            f"{path}.in_channels",
            found=_plain(head_cfg.get("in_channels", head.in_channels)),
            expected=f"{_plain(needed)}, the channels of the features that reach it",
            do=f"Set {path}.in_channels to {_plain(needed)}",
        )


def neck_fault(error: ConfigError, cfg: Mapping) -> ConfigError:
    """A neck's complaint about the channels that reach it, under the key of its `in_channels` where the config has one.

    Args:
        error: What :func:`feature_maps` raised.
        cfg: The model's config.
    """
    neck = cfg.get("neck")
    for index, part in enumerate(neck if isinstance(neck, (list, tuple)) else [neck]):
        if isinstance(part, Mapping) and "in_channels" in part:
            path = "model.neck" if part is neck else f"model.neck.{index}"
            found = _plain(part["in_channels"])
            return ConfigError(f"{path}.in_channels", found=found, expected=error.expected, do=error.do)
    return error


def named_channel_mismatch(error: Exception) -> tuple[int, int] | None:
    """(needed, found) channels, where `error` is torch's about a convolution that got the wrong number."""
    match = _CHANNELS.search(str(error))
    return (int(match[1]), int(match[2])) if match else None


def _through_neck(neck: nn.Module, features: Sequence[Tensor]) -> Sequence[Tensor]:
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
                yield f"model.{name}.{index}", item, item_cfg
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
    if not isinstance(head.in_channels, int):
        return None
    if _is_from(head, "forward", "mmpose.") or _is_from(head, "pre_logits", "mmpretrain."):
        return channels[-1]
    if _is_from(head, "forward", "mmdet.") and len(set(channels)) == 1:
        return channels[0]
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
