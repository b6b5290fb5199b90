"""The plots of a test: scores, reliability, errors, confusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIGHT, WRONG, FAINT = "#2a9d8f", "#d1495b", "#8b929c"
#: Of the kinds of errors, in drawings as in plots.
KIND_COLOURS = {
    "good": "#2a9d8f",
    "jitter": "#e9b44c",
    "inversion": "#8d5fd3",
    "swap": "#1b6ca8",
    "miss": "#d1495b",
    "no prediction": "#6d7480",
}
#: Up to so many classes are named along a matrix.
MANY_CLASSES = 60


def rgb(kind: str) -> tuple[int, int, int]:
    """The colour of a kind of error, 0 to 255."""
    red, green, blue = bytes.fromhex(KIND_COLOURS[kind][1:])
    return red, green, blue


@dataclass(frozen=True)
class ScoreBins:
    """Scores in equal bins from 0 to 1.

    Args:
        of: What has the scores, in the plural: persons, keypoints, pixels.
        name: What the scores are called, in the singular.
        right, wrong: How many of them in each bin are right and wrong.
        mean_score, rate: Of each bin, the mean score and the share of right ones; NaN where it is empty.
        error: Expected calibration error.
        bias: Mean score less share of right ones.
    """

    of: str
    name: str
    right: Sequence[int]
    wrong: Sequence[int]
    mean_score: Sequence[float]
    rate: Sequence[float]
    error: float
    bias: float

    def note(self) -> str:
        """In words, whether the scores can be read as chances."""
        if np.isnan(self.error):
            return f"There are no {self.of} with a {self.name}."
        way = "promise too much" if self.bias > 0 else "promise too little"
        words = "can be read as the chance to be right" if self.error < 0.05 else f"{way}, on average"
        return (
            f"{self.name.capitalize()}s of {self.of} {words}: they differ from the share of right ones by "
            f"{self.error:.2f} (expected calibration error); mean {self.name} less share: {self.bias:+.2f}."
        )


def score_figure(scores: ScoreBins) -> Figure:
    """Two plots side by side: how the scores of right and wrong ones are spread, and how reliable they are."""
    figure = _figure(9.6, 3.1)
    left, right = figure.subplots(1, 2, width_ratios=(1.45, 1))
    bins = len(scores.right)
    centres = (np.arange(bins) + 0.5) / bins
    left.bar(centres, scores.right, 0.92 / bins, color=RIGHT, label="right")
    left.bar(centres, scores.wrong, 0.92 / bins, bottom=scores.right, color=WRONG, label="wrong")
    left.set(xlim=(0, 1), xlabel=scores.name, ylabel=scores.of)
    left.legend(frameon=False, fontsize=9)
    right.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    counts = np.asarray(scores.right) + np.asarray(scores.wrong)
    sizes = 12 + 110 * counts / max(counts.max(), 1)
    right.plot(scores.mean_score, scores.rate, color=RIGHT, linewidth=1.5)
    right.scatter(scores.mean_score, scores.rate, s=sizes, color=RIGHT, zorder=3, clip_on=False)
    right.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=f"mean {scores.name}", ylabel="share of right ones")
    _count(left)
    _lighten(left, right)
    return figure


def histogram_figure(values: Sequence[int], label: str, of: str) -> Figure:
    """Counts in equal bins from 0 to 1.

    Args:
        values: Of the bins.
        label, of: What lies along the axis, and what is counted.
    """
    figure = _figure(9.6, 2.6)
    axes = figure.subplots()
    bins = len(values)
    axes.bar((np.arange(bins) + 0.5) / bins, values, 0.94 / bins, color="#1b6ca8")
    axes.set(xlim=(0, 1), xlabel=label, ylabel=of)
    _count(axes)
    _lighten(axes)
    return figure


def stacked_figure(names: Sequence[str], shares: np.ndarray, kinds: Sequence[str], label: str) -> Figure:
    """A bar a name, made of the shares of each kind.

    Args:
        names: N of them, from top to bottom.
        shares: (N, kinds) 0 to 1.
        kinds: Of `KIND_COLOURS`.
        label: Of the axis.
    """
    figure = _figure(9.6, 0.9 + 0.24 * len(names))
    axes = figure.subplots()
    start = np.zeros(len(names))
    for kind, values in zip(kinds, np.nan_to_num(shares).T, strict=True):
        axes.barh(names, values, 0.78, left=start, color=KIND_COLOURS[kind], label=kind)
        start = start + values
    axes.invert_yaxis()
    axes.set(xlabel=label, xlim=(0, max(float(start.max(initial=0)), 1e-3)))
    axes.margins(y=0.01)
    axes.legend(frameon=False, fontsize=9, ncols=len(kinds), loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    _lighten(axes)
    axes.tick_params(axis="y", length=0)
    return figure


def confusion_figure(rows: np.ndarray, names: Sequence[str]) -> Figure:
    """A matrix of shares, true classes from top to bottom, predicted ones from left to right; names of up to 60."""
    classes = len(names)
    side = min(max(2.0 + 0.34 * classes, 3.6), 10.0)
    figure = _figure(side + 1.0, side)
    axes = figure.subplots()
    edge = 1.0 if classes <= MANY_CLASSES else 0.0
    picture = axes.pcolormesh(
        np.nan_to_num(rows), cmap="Blues", vmin=0, vmax=1, edgecolor="white", linewidth=edge, rasterized=not edge
    )
    axes.invert_yaxis()
    axes.set(xlabel="predicted", ylabel="true", aspect="equal", xticks=[], yticks=[])
    if edge:
        size = 9 if classes <= 25 else 6
        axes.set_xticks(np.arange(classes) + 0.5, names, rotation=90, fontsize=size)
        axes.set_yticks(np.arange(classes) + 0.5, names, fontsize=size)
    figure.colorbar(picture, shrink=0.6, pad=0.02, ticks=[0, 0.5, 1], format="{x:.0%}").outline.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _count(axes: Axes) -> None:
    """Whole numbers up the axis: 200, 4k."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _lighten(*all_axes: Axes) -> None:
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
