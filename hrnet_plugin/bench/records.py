"""Frozen dataclasses to JSON and back."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import DataError

Record = TypeVar("Record")


def to_plain(record: object) -> Any:
    """Dicts, lists, numbers and words of a dataclass and all dataclasses in it."""
    if dataclasses.is_dataclass(record):
        return {entry.name: to_plain(getattr(record, entry.name)) for entry in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        return {str(key): to_plain(value) for key, value in record.items()}
    return [to_plain(item) for item in record] if isinstance(record, (list, tuple)) else record


def from_plain(kind: type[Record], node: object, where: str) -> Record:
    """The dataclass that :func:`to_plain` took apart.

    Args:
        kind: The dataclass.
        node: Values as read from JSON.
        where: What they are, for errors.

    Raises:
        DataError: a field is missing, unknown, or of another kind.
    """
    return _read(kind, node, where)


def _read(kind: Any, node: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, node, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if node is None else _read(next(part for part in inner if part is not type(None)), node, where)
    if origin is tuple and isinstance(node, list):
        kinds = [inner[0]] * len(node) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) == len(node):
            return tuple(_read(one, item, where) for one, item in zip(kinds, node, strict=True))
    if origin is dict and isinstance(node, dict):
        return {key: _read(inner[1], value, f"{where}.{key}") for key, value in node.items()}
    if kind is Any or (kind is float and isinstance(node, int)) or (isinstance(kind, type) and isinstance(node, kind)):
        return float(node) if kind is float else node
    raise DataError(where, found=f"{str(node)[:40]!r}", expected=f"a value of kind {getattr(kind, '__name__', kind)}")


def _read_fields(kind: type, node: Any, where: str) -> Any:
    if not isinstance(node, dict):
        raise DataError(where, found=type(node).__name__, expected=f"the fields of {kind.__name__}")
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in dataclasses.fields(kind)}
    for name in node:
        if name not in known:
            raise DataError(where, found=f"an unknown field {name!r}", expected=", ".join(known))
    for name, entry in known.items():
        needed = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if needed and name not in node:
            raise DataError(where, found=f"no field {name!r}", expected=", ".join(known))
    return kind(**{name: _read(hints[name], value, f"{where}.{name}") for name, value in node.items()})
