"""A profile as a table, as plain values, as a plot and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..reports.page import Page
from .grouping import by_branch, by_part, part_tree
from .profiling import PartTime, Profile
from .stacked_bars import draw_stacked_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD = ("part", "forward, ms", "backward, ms", "share of time", "allocated, MiB", "kept, MiB")
ABOUT = (
    "Means of one step under the profiler, which slows small operators: compare parts with each other, and take the "
    "step's time from the first line. Allocated: by forward operators, freed again or not; kept: what is still there "
    "when the part is done, because it goes on or the backward pass needs it; below 0 where a part frees what came "
    "before it."
)
_MIB = 2**20


def table_rows(profile: Profile, modules: bool = False) -> Iterator[tuple[str, ...]]:
    """The rows below `HEAD`: parts, below each stage its branches and its fusion, at the end the whole."""
    total = profile.total
    for label, value in part_tree(profile.parts, modules):
        yield _row(label, value, total)
    yield _row("total", total, total)


def branch_rows(profile: Profile) -> Iterator[tuple[str, ...]]:
    """The shares of branches over all stages, of fusion, and of the rest."""
    for label, value in by_branch(profile.parts).items():
        yield _row(label, value, profile.total)


def to_plain(profile: Profile) -> dict[str, object]:
    """As plain values for JSON."""
    return {
        "device": profile.device,
        "steps": profile.steps,
        "step_seconds": profile.step,
        "total": _plain(profile.total),
        "parts": {name: _plain(value) for name, value in by_part(profile.parts).items()},
        "branches": {name: _plain(value) for name, value in by_branch(profile.parts).items()},
        "places": [{**place.to_plain(), **_plain(value)} for place, value in profile.parts.items()],
    }


def plot(profile: Profile) -> Figure:
    """Stacked bars: time of the passes and memory kept of each part, coloured by branch."""
    trains = profile.total.backward > 0
    panels = [("forward, ms", lambda value: value.forward * 1e3)]
    panels += [("backward, ms", lambda value: value.backward * 1e3)] if trains else []
    # Freeing what came before makes a part's sum negative at times; a bar cannot show that.
    panels.append(("kept, MiB", lambda value: max(value.kept, 0) / _MIB))
    return draw_stacked_bars(profile.parts, panels)


def build_page(profile: Profile, about: dict[str, object]) -> Page:
    """The report of `hrnet inspect profile`."""
    page = Page("Profile", {**about, "device": profile.device})
    page.text(f"{profile.step * 1e3:.1f} ms a step, the median of {profile.steps}. {ABOUT}")
    page.section("By stage and branch").picture(plot(profile), "Stages by branch")
    page.section("Branches over all stages").table(HEAD, branch_rows(profile))
    page.section("Parts").table(HEAD, table_rows(profile, modules=True))
    return page


def _row(label: str, value: PartTime, total: PartTime) -> tuple[str, ...]:
    share = f"{100 * value.seconds / total.seconds:.1f} %" if total.seconds else "-"
    return (
        label,
        f"{value.forward * 1e3:.2f}",
        f"{value.backward * 1e3:.2f}" if total.backward else "-",
        share,
        f"{value.allocated / _MIB:.1f}",
        f"{value.kept / _MIB:.1f}",
    )


def _plain(value: PartTime) -> dict[str, float]:
    return {
        "forward_seconds": value.forward,
        "backward_seconds": value.backward,
        "allocated_bytes": value.allocated,
        "kept_bytes": value.kept,
    }
