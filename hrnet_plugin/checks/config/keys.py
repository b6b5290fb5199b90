"""Keys of a config as `--cfg-options` takes them: `model.auxiliary_head.0.in_channels`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def join(*parts: object) -> str:
    """One key of several parts, empty ones left out.

    >>> join("model", "", "neck", 0)
    'model.neck.0'
    """
    return ".".join(str(part) for part in parts if part != "")


def copied(node: Any) -> Any:
    """A config, or a part of one, in dicts, lists and tuples; classes that a pure-Python config names stand there."""
    if isinstance(node, Mapping):
        return {key: copied(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(copied(item) for item in node)
    return node


def look_up(node: Any, key: str, default: Any = None) -> Any:
    """The value at a dotted key, or `default` where a part of it is not there.

    >>> look_up({"a": [{"b": 1}]}, "a.0.b")
    1
    """
    for part in key.split("."):
        if isinstance(node, Mapping) and part in node:
            node = node[part]
        elif isinstance(node, (list, tuple)) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return default
    return node


def walk(node: Any, key: str = "") -> Iterator[tuple[str, dict]]:
    """Every dict of a config with its key, outer ones first."""
    if isinstance(node, dict):
        yield key, node
        for name, value in node.items():
            yield from walk(value, join(key, name))
    elif isinstance(node, (list, tuple)):
        for index, item in enumerate(node):
            yield from walk(item, join(key, index))


def each(node: Any, key: str) -> Iterator[tuple[str, dict]]:
    """The dicts of a place that takes one or a list of them, each with its key."""
    if isinstance(node, dict):
        yield key, node
    elif isinstance(node, (list, tuple)):
        for index, item in enumerate(node):
            if isinstance(item, dict):
                yield join(key, index), item
