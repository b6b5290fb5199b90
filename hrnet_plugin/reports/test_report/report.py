"""What every page about a test has: the metrics, the numbers of the task, and a JSON file with all of them."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from ...disk import write_whole
from ...errors import ConfigError
from ...version import __version__
from ..page import Page, Picture

PAGE, NUMBERS = "index.html", "report.json"
#: What our own files begin with; others of these names are not overwritten.
_MADE_BY = "hrnet_plugin"
_MARKS = {PAGE: f'<meta name="generator" content="{_MADE_BY} ', NUMBERS: f'"made_by": "{_MADE_BY} '}
_LOOKED_AT = 2000
_NOBODY = "COCO's evaluation writes -1 where there is nobody to measure."


@dataclass(frozen=True)
class Example:
    """A tested picture, as drawn for the page.

    Args:
        picture: The drawing.
        caption: What is to be seen.
    """

    picture: Picture
    caption: str


class TaskResult(Protocol):
    """The numbers of one task; a dataclass of plain values."""

    def headline(self) -> dict[str, str]:
        """The first numbers of the page, besides the evaluator's."""

    def add_to(self, page: Page, examples: Mapping[str, Sequence[Example]]) -> None:
        """Adds the task's sections; `examples` by the names of the result's lists of cases."""


@dataclass(frozen=True)
class Report:
    """All that is known of a test.

    Args:
        title: Of the page.
        about: What was tested, by names.
        metrics: As the evaluator gave them.
        task: Its numbers, or None where there are none.
        missing: Why there are none, or which part is not there, a sentence each.
        examples: The pictures, by the names under which the task asks for them.
    """

    title: str
    about: Mapping[str, str]
    metrics: Mapping[str, float]
    task: TaskResult | None = None
    missing: Sequence[str] = ()
    examples: Mapping[str, Sequence[Example]] = field(default_factory=dict)

    def page(self) -> Page:
        """The page: metrics, the sections of the task, what is missing."""
        page = Page(self.title, self.about)
        page.headline({**_first(self.metrics), **(self.task.headline() if self.task else {})})
        page.section("Metrics", "As the evaluator of the config measured them.")
        if self.metrics:
            caption = _NOBODY if -1 in self.metrics.values() else ""
            page.table(["metric", "value"], [[name, _short(value)] for name, value in self.metrics.items()], caption)
        else:
            page.text("It measured nothing: a test that only formats its results has no truth to compare them with.")
        if self.task:
            self.task.add_to(page, self.examples)
        if self.missing:
            page.section("Not shown")
            for sentence in self.missing:
                page.text(sentence)
        return page

    def to_plain(self) -> dict[str, object]:
        """As plain values, for JSON; what is no number is null."""
        return {
            "made_by": f"{_MADE_BY} {__version__}",
            "title": self.title,
            "about": dict(self.about),
            "metrics": _plain(dict(self.metrics)),
            "missing": list(self.missing),
            **({"result": _plain(dataclasses.asdict(self.task))} if self.task else {}),
        }

    def write(self, folder: str | Path) -> Path:
        """Writes page and numbers into a folder; other files in it stay.

        Returns:
            The page.

        Raises:
            ConfigError: a file cannot be written.
        """
        folder = Path(folder).expanduser()
        path = self.page().write(folder / PAGE)
        try:
            write_whole(json.dumps(self.to_plain(), indent=1, allow_nan=False).encode(), folder / NUMBERS)
        except OSError as error:
            raise ConfigError(f"--report {folder / NUMBERS}", found=error.strerror or str(error)) from error
        return path


def check_report_folder(folder: str | Path) -> None:
    """Check that a report may be written into a folder: what lies there under its names was written by us.

    Raises:
        ConfigError: another page or file of numbers lies there.
    """
    for name, mark in _MARKS.items():
        path = Path(folder).expanduser() / name
        if path.is_dir():
            raise ConfigError(f"--report {folder}", found=f"a folder {name} in it", do="Name another folder")
        if path.is_file():
            with open(path, encoding="utf-8", errors="replace") as file:
                ours = mark in file.read(_LOOKED_AT)
            if not ours:
                found = f"a {name} that is not of an earlier report"
                raise ConfigError(f"--report {folder}", found=found, do="Name another folder, or move that file away")


def _first(metrics: Mapping[str, float]) -> dict[str, str]:
    """The evaluator's first metrics, which are its main ones."""
    return {name: _short(value) for name, value in list(metrics.items())[:3]}


def _short(value: float) -> str:
    """Four decimals of a share, four digits of anything larger: mmseg measures in percent."""
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.4g}"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
