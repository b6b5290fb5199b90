"""Configs as plain values, to compare and to rebuild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(node: Any, scope: str | None = None) -> Any:
    """A copy of a config node in dicts and lists, less the marks that mmengine sets on another package's bases.

    Args:
        node: A config, or a part of one.
        scope: Leave out only the marks of this scope, which say nothing in a config of it; None leaves out all.
    """
    if isinstance(node, Mapping):
        marks = node.get("_scope_") in (None, scope) or scope is None
        return {key: plain(value, scope) for key, value in node.items() if not (marks and key == "_scope_")}
    if isinstance(node, (list, tuple)):
        return [plain(value, scope) for value in node]
    return node


def as_list(value: Any) -> list:
    """`value` as a list: itself if it is one, empty for None, else the one value."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
