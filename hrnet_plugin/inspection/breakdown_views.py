"""A breakdown as a table, as plain values, as a plot of stacked bars, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..reports.page import Page
from .breakdown import Breakdown, PartCost
from .grouping import by_branch, by_part, part_tree
from .stacked_bars import draw_stacked_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD = ("part", "parameters", "share", "MACs, 10^9", "share", "activations, MiB", "share")
ABOUT = (
    "MACs are multiply-accumulates of one image, without norms; activations are what one image leaves behind in a "
    "forward pass of training, in fp32 and without recomputation. Branch 1 has the highest resolution."
)
_MIB = 2**20


def table_rows(breakdown: Breakdown, modules: bool = False) -> Iterator[tuple[str, ...]]:
    """The rows below `HEAD`: parts, below each stage its branches and its fusion, at the end the whole.

    Args:
        breakdown: What was counted.
        modules: Below each stage its high-resolution modules, with the branches and fuse layers of each.
    """
    total = breakdown.total
    for label, cost in part_tree(breakdown.costs, modules):
        yield _row(label, cost, total)
    yield _row("total", total, total)


def branch_rows(breakdown: Breakdown) -> Iterator[tuple[str, ...]]:
    """The shares of branches over all stages, of fusion, and of the rest."""
    for label, cost in by_branch(breakdown.costs).items():
        yield _row(label, cost, breakdown.total)


def to_plain(breakdown: Breakdown) -> dict[str, object]:
    """As plain values for JSON: every place with its cost, and the sums."""
    return {
        "input_size": list(breakdown.input_size),
        "total": _plain_cost(breakdown.total),
        "parts": {part: _plain_cost(cost) for part, cost in by_part(breakdown.costs).items()},
        "branches": {name: _plain_cost(cost) for name, cost in by_branch(breakdown.costs).items()},
        "places": [{**place.to_plain(), **_plain_cost(cost)} for place, cost in breakdown.costs.items()],
    }


def plot(breakdown: Breakdown) -> Figure:
    """Stacked bars: parameters, MACs and activations of each part, coloured by branch."""
    panels = (
        ("parameters, 10^6", lambda cost: cost.parameters / 1e6),
        ("MACs, 10^9", lambda cost: cost.macs / 1e9),
        ("activations, MiB", lambda cost: cost.activations / _MIB),
    )
    return draw_stacked_bars(breakdown.costs, panels)


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
