"""Bars of a network's parts, stacked by branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .grouping import Value, by_part, grouped
from .places import BRANCH, FUSE, STAGE, TRANSITION, Place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of branches 1 to 4 and beyond, from high to low resolution.
BRANCH_COLOURS = ("#1b6ca8", "#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51")
FUSION_COLOUR, OTHER_COLOUR = "#7b5ea7", "#9aa0a6"
#: Where fusion and what belongs to no branch stand in a stack.
_FUSION, _OTHER = 98, 99


def draw_stacked_bars(values: Mapping[Place, Value], panels: Sequence[tuple[str, Callable[[Value], float]]]) -> Figure:
    """One panel an amount, in it a bar for each part, with a layer for each branch.

    Args:
        values: By place.
        panels: Title, and the amount of a value.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11 / 3 * max(len(panels), 2), 4.6), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, amount) in zip(all_axes, panels, strict=True):
        _stack(axes, values, amount)
        axes.set_title(title)
    handles, labels = all_axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8, frameon=False)
    return figure


def _stack(axes: Axes, values: Mapping[Place, Value], amount: Callable[[Value], float]) -> None:
    parts = list(by_part(values))
    stacks = grouped(values, lambda place: (_layer(place), place.part))
    base = [0.0] * len(parts)
    for layer in sorted({layer for layer, _ in stacks}):
        heights = [amount(stacks[layer, part]) if (layer, part) in stacks else 0.0 for part in parts]
        axes.bar(range(len(parts)), heights, bottom=base, color=_colour(layer), label=layer[1], width=0.75)
        base = [low + high for low, high in zip(base, heights, strict=True)]
    axes.set_xticks(range(len(parts)), parts, rotation=45, ha="right", fontsize=8)
    axes.set_ylim(0, max(base) * 1.06 or 1)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def _layer(place: Place) -> tuple[int, str]:
    if place.kind == FUSE:
        return _FUSION, "fusion"
    if place.branch is not None and place.kind in (BRANCH, STAGE, TRANSITION):
        return place.branch, f"branch {place.branch + 1}"
    return _OTHER, "stem, neck, head"


def _colour(layer: tuple[int, str]) -> str:
    if layer[0] >= _FUSION:
        return FUSION_COLOUR if layer[0] == _FUSION else OTHER_COLOUR
    return BRANCH_COLOURS[min(layer[0], len(BRANCH_COLOURS) - 1)]
