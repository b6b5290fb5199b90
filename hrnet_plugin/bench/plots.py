"""Plots of a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .results import Measured, Report, Run
from .statistics import growth_exponent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Under this name the published accuracy of a subject's weights stands in its values.
PUBLISHED_AP = "published AP"
_SIZE = (7.0, 4.5)


def draw_plots(report: Report, folder: Path) -> dict[str, Path]:
    """Draws what the report has numbers for.

    Args:
        report: What was measured.
        folder: Where the pictures go, as PNG.

    Returns:
        The files by their titles: latency against accuracy, latency against pixels, time per stage and branch, and so
        on; those without numbers are left out.
    """
    drawn: dict[str, Path] = {}
    for run in report.runs:
        for title, draw in _wanted(run).items():
            drawn[title] = Path(folder) / file_name(title)
            _save(draw, title, drawn[title])
    return drawn


def plot_files(report: Report) -> dict[str, str]:
    """The names of the files that :func:`draw_plots` writes, by their titles."""
    return {title: file_name(title) for run in report.runs for title in _wanted(run)}


def file_name(title: str) -> str:
    """A plot's file."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())) + ".png"


def _wanted(run: Run) -> dict[str, Callable[[Axes], None]]:
    wanted: dict[str, Callable[[Axes], None]] = {}
    if len([one for one in run.timed if PUBLISHED_AP in one.values]) > 1:
        wanted["Latency against accuracy"] = lambda axes: _draw_accuracy(axes, run)
    series = by_pixels(run)
    if series:
        wanted[f"Latency against pixels, {run.name}"] = lambda axes: _draw_pixels(axes, series)
    if any("width" in one.values for one in run.timed):
        wanted["Latency against width"] = lambda axes: _draw_value(axes, run, "width", "width (w18, w32, w48)")
    if any("branches" in one.values for one in run.timed):
        wanted["Latency against branches"] = lambda axes: _draw_value(axes, run, "branches", "branches")
    if any(one.parts for one in run.measured):
        wanted[f"Time per stage and branch, {run.name}"] = lambda axes: _draw_parts(axes, run)
    return wanted


def by_pixels(run: Run) -> dict[str, list[Measured]]:
    """Subjects that differ in their images' size alone, by runtime and precision, from small to large."""
    series: dict[str, list[Measured]] = {}
    for one in run.timed:
        if one.values.keys() & {"width", "branches", PUBLISHED_AP}:
            continue
        about = f"{one.subject.network.framework} {one.subject.runtime} {one.subject.precision}".strip()
        series.setdefault(f"{about}, batch {one.subject.network.batch}", []).append(one)
    return {
        name: sorted(entries, key=pixels)
        for name, entries in series.items()
        if len({pixels(entry) for entry in entries}) > 1
    }


def pixels(one: Measured) -> int:
    """Of one image."""
    width, height = one.subject.network.size
    return width * height


def _save(draw: Callable[[Axes], None], title: str, path: Path) -> None:
    # Without pyplot, which would keep figures and look for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw(axes)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _draw_accuracy(axes: Axes, run: Run) -> None:
    for one in run.timed:
        if PUBLISHED_AP in one.values:
            latency = one.latency.median * 1e3
            axes.plot(latency, one.values[PUBLISHED_AP], "o")
            axes.annotate(one.subject.name, (latency, one.values[PUBLISHED_AP]), xytext=(4, 4), **_OFFSET)
    axes.set(xlabel="latency measured here, ms", ylabel="AP on COCO val2017 as published", xscale="log")


_OFFSET = {"textcoords": "offset points", "fontsize": 7}


def _draw_pixels(axes: Axes, series: Mapping[str, Sequence[Measured]]) -> None:
    for name, entries in series.items():
        amounts = [pixels(entry) for entry in entries]
        times = [entry.latency.median * 1e3 for entry in entries]
        axes.loglog(amounts, times, "o-", label=f"{name}: exponent {growth_exponent(amounts, times):.2f}")
    axes.set(xlabel="pixels", ylabel="latency, ms")
    axes.legend(fontsize=7)


def _draw_value(axes: Axes, run: Run, value: str, label: str) -> None:
    series: dict[str, list[Measured]] = {}
    for one in run.timed:
        if value in one.values:
            series.setdefault(f"{one.subject.runtime} {one.subject.precision}", []).append(one)
    for name, entries in series.items():
        entries = sorted(entries, key=lambda entry: entry.values[value])
        axes.plot(
            [one.values[value] for one in entries], [one.latency.median * 1e3 for one in entries], "o-", label=name
        )
    axes.set(xlabel=label, ylabel="latency, ms")
    axes.legend(fontsize=7)


def _draw_parts(axes: Axes, run: Run) -> None:
    looked_into = [one for one in run.measured if one.parts]
    names = [name for name in dict.fromkeys(name for one in looked_into for name in one.parts) if name != "whole"]
    height = 0.8 / len(looked_into)
    for index, one in enumerate(looked_into):
        places = [place + index * height for place in range(len(names))]
        axes.barh(places, [one.parts.get(name, 0) * 1e3 for name in names], height, label=one.subject.name)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlabel="ms")
    axes.legend(fontsize=7)
