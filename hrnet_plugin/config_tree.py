"""Reading a config as the tree of dicts and lists that it is."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import Any

from .plain import as_list


def type_name(node: object) -> str:
    """The class that a config names, without scope or module: 'HRNet' for 'mmpose.HRNet' and for the class itself.

    Args:
        node: A config dict with a `type`, or the value of one.
    """
    kind = node.get("type", "") if isinstance(node, Mapping) else node
    return kind.rpartition(".")[2] if isinstance(kind, str) else getattr(kind, "__name__", "")


def child(node: dict, key: str) -> dict:
    """The dict under `key`, an empty one put there where there is none."""
    if node.get(key) is None:
        node[key] = {}
    return node[key]  # read back, since mmengine stores a copy of its own kind


def add_hook(cfg: dict, hook: dict[str, Any]) -> None:
    """Joins a hook to the config's `custom_hooks`, unless one of its type is among them."""
    hooks = as_list(cfg.get("custom_hooks") or [])
    if not any(type_name(one) == type_name(hook) for one in hooks):
        cfg["custom_hooks"] = [*hooks, hook]


def dicts_in(node: object) -> Iterator[dict]:
    """Every dict of a config, outer ones first."""
    if isinstance(node, dict):
        yield node
        for key in list(node):
            if key in node:  # the caller may take keys away while walking
                yield from dicts_in(node[key])
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from dicts_in(item)


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of a config node in which `change` has been applied to everything that is no dict, list or tuple.

    A copy, since two loaders of a config may be one and the same object.
    """
    if isinstance(node, dict):
        return type(node)({key: rebuilt(value, change) for key, value in raw_items(node)})
    if isinstance(node, (list, tuple)):
        return type(node)(rebuilt(item, change) for item in node)
    return change(node)


def raw_items(node: dict) -> ItemsView[str, Any]:
    """Keys and values of a config dict as they are stored.

    A pure-Python config stores references to classes; reading them the usual way turns them into the classes,
    which mmengine cannot write into the work dir any more.
    """
    return dict.items(node)


def leaf_datasets(loader: object) -> Iterator[dict]:
    """The data sets of a data loader's config that read files, wrappers (repeat, concat, combine) opened."""
    if isinstance(loader, (list, tuple)):
        for item in loader:
            yield from leaf_datasets(item)
    elif isinstance(loader, dict):
        inner = [loader[key] for key in ("dataset", "datasets") if isinstance(loader.get(key), (dict, list, tuple))]
        if inner:
            yield from leaf_datasets(inner)
        elif "type" in loader:
            yield loader
