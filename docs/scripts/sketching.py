"""What the pictures of the walk-through are drawn with: boxes, arrows, points, titles, on paper."""

from __future__ import annotations

import io

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from hrnet_plugin.inspection.stacked_bars import BRANCH_COLOURS, FUSION_COLOUR

INK, PAPER, KEPT, UP, DOWN = "#25303b", "#ffffff", "#8b949e", "#d9822b", "#1b6ca8"
#: Vertical distance of branches, height of a box.
ROW, BOX = 1.0, 0.56


def new_axes(width: float, height: float) -> Axes:
    """An empty sheet of so many inches."""
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    axes = figure.add_axes((0.005, 0.005, 0.99, 0.99))
    axes.set_axis_off()
    return axes


def add_dot(axes: Axes, x: float, y: float, text: str = "") -> None:
    """Where branches are added."""
    axes.plot([x], [y], "o", color=FUSION_COLOUR, ms=20 if text else 7, mec=PAPER, mew=0 if text else 0.8, zorder=3)
    axes.text(x, y - 0.012, text, color=PAPER, ha="center", va="center", size=13, zorder=4)


def add_box(axes: Axes, left: float, y: float, width: float, text: str, colour: str, size: float = 8.5) -> None:
    """A branch or layer with its name."""
    box = FancyBboxPatch(
        (left, y - BOX / 2), width, BOX, boxstyle="round,pad=0,rounding_size=0.09", facecolor=colour, edgecolor="none",
        zorder=2,
    )  # fmt: skip
    axes.add_patch(box)
    dark = colour in BRANCH_COLOURS[2:4]
    axes.text(
        left + width / 2, y - 0.01, text, color=INK if dark else PAPER, ha="center", va="center", size=size, zorder=3
    )


def add_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, text: str = "") -> None:
    """What goes from one place to another, with a few words on it."""
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=9, color=colour, lw=1.4, shrinkA=1, shrinkB=1, zorder=1
        )
    )
    if text:
        where = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        label = {"boxstyle": "round,pad=0.2", "facecolor": PAPER, "edgecolor": "none"}
        axes.text(*where, text, color=colour, ha="center", va="center", size=8, bbox=label, zorder=2)


def add_title(axes: Axes, x: float, text: str, small: bool = False) -> None:
    """A heading above the first branch."""
    axes.text(x, 0.62, text, color=KEPT if small else INK, ha="center", va="center", size=8 if small else 10)


def as_svg(figure: Figure) -> bytes:
    """An SVG on paper, readable on dark pages too; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "hrnet_plugin"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
