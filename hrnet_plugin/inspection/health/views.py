"""An examination as a table, as plain values, as plots and as a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ...findings import tally
from ...reports.page import Page
from ..grouping import by_part, part_tree
from ..places import Place
from .examine import HealthReport
from .gradients import Squares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAD = ("part", "weight norm", "gradient norm", "gradient a number", "dead ReLU channels", "constant norm channels")
ABOUT = (
    "Gradients are those of one batch in training; ReLUs were watched on the same batch in evaluation mode. A channel "
    "is dead if it is 0 everywhere, and a norm's channel constant if its running variance is below eps."
)


@dataclass(frozen=True)
class _Row:
    """What one place has of everything.

    Args:
        squares: Of weights and gradients.
        relu_channels, relu_dead: Channels of ReLUs, and the dead ones of them.
        norm_channels, norm_constant: Channels of norms, and the constant ones of them.
    """

    squares: Squares = field(default_factory=Squares)
    relu_channels: int = 0
    relu_dead: int = 0
    norm_channels: int = 0
    norm_constant: int = 0

    def __add__(self, other: _Row) -> _Row:
        return _Row(
            self.squares + other.squares,
            self.relu_channels + other.relu_channels,
            self.relu_dead + other.relu_dead,
            self.norm_channels + other.norm_channels,
            self.norm_constant + other.norm_constant,
        )


def table_rows(report: HealthReport) -> Iterator[tuple[str, ...]]:
    """The rows below `HEAD`: parts and, below each stage, its branches and its fusion."""
    for label, row in part_tree(_rows(report)):
        yield (
            label,
            f"{row.squares.weight_norm:.3g}",
            f"{row.squares.gradient_norm:.3g}",
            f"{row.squares.gradient_rms:.2g}",
            _share(row.relu_dead, row.relu_channels),
            _share(row.norm_constant, row.norm_channels),
        )


def losses(report: HealthReport) -> str:
    """The two losses in words."""
    return f"{report.loss:.4g} in training mode, {report.loss_in_evaluation:.4g} in evaluation mode"


def to_plain(report: HealthReport) -> dict[str, object]:
    """As plain values for JSON."""
    return {
        "loss": report.loss,
        "loss_in_evaluation": report.loss_in_evaluation,
        "findings": [finding.to_plain() for finding in report.findings],
        "parts": {
            name: {
                "weight_norm": row.squares.weight_norm,
                "gradient_norm": row.squares.gradient_norm,
                "gradient_rms": row.squares.gradient_rms,
                "relu_channels": row.relu_channels,
                "relu_dead": row.relu_dead,
                "norm_channels": row.norm_channels,
                "norm_constant": row.norm_constant,
            }
            for name, row in part_tree(_rows(report))
        },
        "norms": [{**asdict(state), "place": state.place.label} for state in report.norms],
        "relus": [{**asdict(state), "place": state.place.label} for state in report.activity.relus],
        "residuals": [_path(state) for state in report.activity.residuals],
        "fusions": [_path(state) for state in report.activity.fusions],
    }


def plot(report: HealthReport) -> Figure:
    """Gradient a number and dead channels of each part, and the strength of residual blocks and fuse paths."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.6), layout="constrained")
    gradients, dead, paths = figure.subplots(1, 3)
    parts = by_part(_rows(report))
    _bars(gradients, {name: row.squares.gradient_rms for name, row in parts.items()}, "#1b6ca8")
    gradients.set_title("gradient a number (root mean square)")
    if any(row.squares.gradient_rms > 0 for row in parts.values()):
        gradients.set_yscale("log")
    _bars(dead, {name: _percent(row.relu_dead, row.relu_channels) for name, row in parts.items()}, "#e76f51")
    dead.set(title="ReLU channels that never fire, %", ylim=(0, 100))
    for states, colour, label in (
        (report.activity.residuals, "#2a9d8f", "residual block beside its shortcut"),
        (report.activity.fusions, "#7b5ea7", "fuse path beside the strongest one"),
    ):
        shares = sorted(max(state.share, 1e-6) for state in states if math.isfinite(state.share))
        if shares:
            paths.plot([100 * index / max(len(shares) - 1, 1) for index in range(len(shares))], shares, ".-",
                       color=colour, label=label, markersize=4)  # fmt: skip
    paths.set(title="strength of paths, sorted", xlabel="% of the paths", yscale="log")
    if paths.lines:
        paths.legend(fontsize=8)
    for axes in (gradients, dead, paths):
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def build_page(report: HealthReport, about: Mapping[str, object]) -> Page:
    """The report of `hrnet inspect health`."""
    page = Page("Health", {**about, "loss": losses(report), "found": tally(report.findings)})
    page.section("Findings").findings(report.findings)
    page.section("Pictures").picture(plot(report), "Gradients, ReLUs and paths")
    page.section("Parts", ABOUT).table(HEAD, table_rows(report))
    for title, states in (("Residual blocks", report.activity.residuals), ("Fuse paths", report.activity.fusions)):
        weakest = sorted(states, key=lambda state: state.share)[:20]
        if weakest:
            rows = [(state.name, state.place.label, f"{100 * state.share:.3g} %") for state in weakest]
            page.section(f"{title}, the weakest").table(("module", "place", "strength beside the other"), rows)
    deadest = sorted(report.activity.relus, key=lambda state: -state.dead / max(state.channels, 1))[:20]
    rows = [
        (state.name, state.place.label, state.channels, state.dead, f"{100 * state.zeros:.1f} %") for state in deadest
    ]
    page.section("ReLUs, the deadest").table(("module", "place", "channels", "dead", "zeros"), rows)
    return page


def _rows(report: HealthReport) -> dict[Place, _Row]:
    rows = {place: _Row(squares) for place, squares in report.gradients.items()}
    for state in report.activity.relus:
        own = _Row(relu_channels=state.channels, relu_dead=state.dead)
        rows[state.place] = rows.get(state.place, _Row()) + own
    for state in report.norms:
        own = _Row(norm_channels=state.channels, norm_constant=state.constant)
        rows[state.place] = rows.get(state.place, _Row()) + own
    return rows


def _path(state) -> dict[str, object]:
    return {"name": state.name, "place": state.place.label, "strength": state.strength, "beside": state.beside}


def _bars(axes: Axes, heights: Mapping[str, float], colour: str) -> None:
    axes.bar(range(len(heights)), heights.values(), color=colour, width=0.75)
    axes.set_xticks(range(len(heights)), heights, rotation=45, ha="right", fontsize=8)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
