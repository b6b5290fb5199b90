"""Configs as plain values, to compare and to rebuild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(node: Any) -> Any:
    """A copy of a config node in dicts and lists, less the marks that mmengine sets on another package's bases."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.items() if key != "_scope_"}
    if isinstance(node, (list, tuple)):
        return [plain(value) for value in node]
    return node


def as_list(value: Any) -> list:
    """`value` as a list: itself if it is one, empty for None, else the one value."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
