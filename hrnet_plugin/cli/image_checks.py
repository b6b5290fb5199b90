"""Putting the check for broken images in front of whatever loads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hrnet_plugin.config_tree import raw_items, type_name

from .data_root import LOADERS

if TYPE_CHECKING:
    from mmengine.config import Config

_IMAGE_LOADERS = ("LoadImage", "LoadImageFromFile")
#: By its full name: mmengine then finds it in every framework's registry of transforms.
IMAGE_CHECK = "hrnet_plugin.engine.image_files.CheckImageFiles"


def check_images_when_loaded(cfg: Config) -> None:
    """Let all pipelines of the config refuse images that are missing or cut off, in loader workers too."""
    for key in LOADERS:
        if cfg.get(key) is not None:
            cfg[key] = _with_checks(cfg[key])


def _with_checks(node: Any) -> Any:
    if isinstance(node, dict):
        return type(node)({key: _with_checks(value) for key, value in raw_items(node)})
    if not isinstance(node, (list, tuple)):
        return node
    items: list = []
    for item in node:
        loads = isinstance(item, dict) and type_name(item) in _IMAGE_LOADERS
        if loads and not (items and type_name(items[-1]) == type_name(IMAGE_CHECK)):
            items.append({"type": IMAGE_CHECK})
        items.append(_with_checks(item))
    return type(node)(items)
