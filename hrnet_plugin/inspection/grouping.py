"""Values of places, such as costs or times, summed by part, by branch, by module."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Protocol, TypeVar

from .places import BRANCH, FUSE, STAGE, Place

REST = "stem, transitions, neck, head"


class Addable(Protocol):
    """What can be added to its like."""

    def __add__(self, other): ...


Value = TypeVar("Value", bound=Addable)


def grouped(values: Mapping[Place, Value], key: Callable[[Place], Hashable]) -> dict[Hashable, Value]:
    """Sums over the places for which `key` gives the same; those for which it gives None are left out."""
    groups: dict[Hashable, Value] = {}
    for place, value in values.items():
        if (group := key(place)) is not None:
            groups[group] = groups[group] + value if group in groups else value
    return groups


def by_part(values: Mapping[Place, Value]) -> dict[str, Value]:
    """Of stem, stages, transitions, neck and head."""
    return grouped(values, lambda place: place.part)


def by_branch(values: Mapping[Place, Value]) -> dict[str, Value]:
    """Of `branch 1`, ... over all stages (stage 1 begins branch 1), of `fusion`, and of the rest; in this order."""
    found = grouped(values, _branch_name)
    return dict(sorted(found.items(), key=lambda item: (item[0] == REST, item[0])))


def part_tree(values: Mapping[Place, Value], modules: bool = False) -> Iterator[tuple[str, Value]]:
    """Parts and, indented below each stage, its branches and its fusion.

    Args:
        values: By place.
        modules: Below each stage its high-resolution modules, with the branches and fuse layers of each.
    """
    for part, value in by_part(values).items():
        yield part, value
        inner = grouped(values, lambda place, part=part: _inner_name(place, modules) if place.part == part else None)
        if len(inner) > 1:
            yield from ((f"  {label}", own) for label, own in inner.items())


def _branch_name(place: Place) -> str:
    if place.kind == FUSE:
        return "fusion"
    return f"branch {place.branch + 1}" if place.kind in (BRANCH, STAGE) and place.branch is not None else REST


def _inner_name(place: Place, modules: bool) -> str:
    into = place.kind == FUSE and place.branch is not None and modules
    if place.kind == FUSE:
        label = f"fusion into branch {place.branch + 1}" if into else "fusion"
    else:
        label = f"branch {place.branch + 1}" if place.branch is not None else "other"
    return label if not modules or place.module is None else f"module {place.module + 1}, {label}"
