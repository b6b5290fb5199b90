"""A breakdown as a table, as plain values, as a plot of stacked bars, and as a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..reports.page import Page
from .breakdown import Breakdown, PartCost
from .places import BRANCH, FUSE, Place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAD = ("part", "parameters", "share", "MACs, 10^9", "share", "activations, MiB", "share")
#: Of branches 1 to 4 and beyond, from high to low resolution.
BRANCH_COLOURS = ("#1b6ca8", "#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51")
FUSION_COLOUR, OTHER_COLOUR = "#7b5ea7", "#9aa0a6"
ABOUT = (
    "MACs are multiply-accumulates of one image, without norms; activations are what one image leaves behind in a "
    "forward pass of training, in fp32 and without recomputation. Branch 1 has the highest resolution."
)
_MIB = 2**20


def table_rows(breakdown: Breakdown, modules: bool = False) -> Iterator[tuple[str, ...]]:
    """The rows below `HEAD`: parts, below each stage its branches and its fusion, at the end the whole.

    Args:
        breakdown: What was counted.
        modules: Below each stage also its high-resolution modules, with the branches and fuse layers of each.
    """
    total = breakdown.total
    for part, cost in breakdown.by_part().items():
        yield _row(part, cost, total)
        inner = breakdown.grouped(lambda place, part=part: _inner(place, modules) if place.part == part else None)
        if len(inner) > 1:
            for label, own in inner.items():
                yield _row(f"  {label}", own, total)
    yield _row("total", total, total)


def branch_rows(breakdown: Breakdown) -> Iterator[tuple[str, ...]]:
    """The shares of branches over all stages, of fusion, and of the rest."""
    total, rest = breakdown.total, breakdown.total
    named = {f"branch {index + 1}": cost for index, cost in sorted(breakdown.by_branch().items())}
    for label, cost in {**named, "fusion": breakdown.fusion()}.items():
        yield _row(label, cost, total)
        rest = PartCost(rest.parameters - cost.parameters, rest.macs - cost.macs, rest.activations - cost.activations)
    yield _row("stem, transitions, neck, head", rest, total)


def to_plain(breakdown: Breakdown) -> dict[str, object]:
    """As plain values for JSON: every place with its cost, and the sums."""
    return {
        "input_size": list(breakdown.input_size),
        "total": _plain_cost(breakdown.total),
        "parts": {part: _plain_cost(cost) for part, cost in breakdown.by_part().items()},
        "branches": {str(index + 1): _plain_cost(cost) for index, cost in sorted(breakdown.by_branch().items())},
        "fusion": _plain_cost(breakdown.fusion()),
        "places": [
            {
                "place": place.label,
                "part": place.part,
                "kind": place.kind,
                "stage": place.stage,
                "module": place.module,
                "branch": place.branch,
                "source": place.source,
                **_plain_cost(cost),
            }
            for place, cost in breakdown.costs.items()
        ],
    }


def plot(breakdown: Breakdown) -> Figure:
    """Stacked bars: parameters, MACs and activations of each part, coloured by branch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, 3)
    amounts = (
        ("parameters, 10^6", lambda cost: cost.parameters / 1e6),
        ("MACs, 10^9", lambda cost: cost.macs / 1e9),
        ("activations, MiB", lambda cost: cost.activations / _MIB),
    )
    for axes, (title, amount) in zip(panels, amounts, strict=True):
        _stack(axes, breakdown, amount)
        axes.set_title(title)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8, frameon=False)
    return figure


def build_page(breakdown: Breakdown, about: dict[str, object], modules: bool = True) -> Page:
    """The report of `hrnet inspect complexity`."""
    width, height = breakdown.input_size
    total = breakdown.total
    page = Page("Complexity", {**about, "input": f"{width}x{height}"})
    page.text(
        f"{total.parameters / 1e6:.2f} million parameters, {total.macs / 1e9:.3f} billion multiply-accumulates, "
        f"{total.activations / _MIB:.1f} MiB of activations an image. {ABOUT}"
    )
    page.section("By stage and branch").picture(plot(breakdown), "Stages by branch")
    page.section("Branches over all stages").table(HEAD, branch_rows(breakdown))
    page.section("Parts").table(HEAD, table_rows(breakdown, modules))
    return page


def _inner(place: Place, modules: bool) -> str:
    label = "fusion" if place.kind == FUSE else f"branch {place.branch + 1}" if place.branch is not None else "other"
    if not modules or place.module is None:
        return label
    if place.kind == FUSE and place.branch is not None:
        label = f"fusion into branch {place.branch + 1}"
    return f"module {place.module + 1}, {label}"


def _row(label: str, cost: PartCost, total: PartCost) -> tuple[str, ...]:
    return (
        label,
        f"{cost.parameters:,}",
        _share(cost.parameters, total.parameters),
        f"{cost.macs / 1e9:.3f}",
        _share(cost.macs, total.macs),
        f"{cost.activations / _MIB:.1f}",
        _share(cost.activations, total.activations),
    )


def _share(amount: int, whole: int) -> str:
    return f"{100 * amount / whole:.1f} %" if whole else "-"


def _plain_cost(cost: PartCost) -> dict[str, int]:
    return {"parameters": cost.parameters, "macs": cost.macs, "activation_bytes": cost.activations}


def _stack(axes: Axes, breakdown: Breakdown, amount: Callable[[PartCost], float]) -> None:
    parts = list(breakdown.by_part())
    stacks = breakdown.grouped(lambda place: (_layer(place), place.part))
    base = [0.0] * len(parts)
    for layer in sorted({layer for layer, _ in stacks}):
        heights = [amount(stacks.get((layer, part), PartCost())) for part in parts]
        axes.bar(range(len(parts)), heights, bottom=base, color=_colour(layer), label=layer[1], width=0.75)
        base = [low + high for low, high in zip(base, heights, strict=True)]
    axes.set_xticks(range(len(parts)), parts, rotation=45, ha="right", fontsize=8)
    axes.set_ylim(0, max(base) * 1.06 or 1)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def _layer(place: Place) -> tuple[int, str]:
    """In which layer of a stack a place is drawn: branches from below, then fusion, then what is left."""
    if place.kind == FUSE:
        return 98, "fusion"
    if place.branch is not None and place.kind in (BRANCH, "stage", "transition"):
        return place.branch, f"branch {place.branch + 1}"
    return 99, "stem, neck, head"


def _colour(layer: tuple[int, str]) -> str:
    if layer[0] >= 98:
        return FUSION_COLOUR if layer[0] == 98 else OTHER_COLOUR
    return BRANCH_COLOURS[min(layer[0], len(BRANCH_COLOURS) - 1)]
