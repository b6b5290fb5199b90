"""A report as a page for others to read, with its results and its pictures beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ..disk import write_whole
from ..errors import ConfigError
from ..locations import project_dir
from .page import render_page
from .plots import draw_plots, plot_files
from .results import FILE, Measured, Report, write_report
from .subjects import Network

#: An absolute path within a sentence.
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+~-]+/)+[\w.+~-]*")


def check_page(page: Path, folder: Path, source: Path | None) -> None:
    """Looks at where a page would go, before anything is measured.

    Raises:
        ConfigError: not a .md file, or one whose JSON would replace the results that it is made from.
    """
    if page.suffix != ".md" or page.is_dir():
        raise ConfigError(
            f"--page {page}", found="a folder" if page.is_dir() else "another ending", expected="a .md file"
        )
    results = page.with_suffix(".json").resolve()
    if results == (folder / FILE).resolve():
        raise ConfigError(f"--page {page}", found=f"a name whose .json is {folder / FILE}", do="Choose another name")
    if source is not None and source.suffix != ".json":
        raise ConfigError(f"--from {source}", found="another ending", expected="a .json file of results")


def write_page(report: Report, page: Path) -> list[Path]:
    """Writes a page with its results beside it and its pictures in a folder of its name; returns the files."""
    page, report = Path(page), without_folders(report)
    results = page.with_suffix(".json")
    write_report(report, results)
    drawn = draw_plots(report, page.with_suffix(""))
    write_whole(page_text(report, page).encode(), page)
    return [page, results, *drawn.values()]


def without_folders(report: Report) -> Report:
    """A copy for others to read: configs are named from the project's folder on, other files by their names alone."""
    runs = (replace(run, measured=tuple(map(_without_folders, run.measured))) for run in report.runs)
    lines = (replace(line, note=_said_without_folders(line.note)) for line in report.targets)
    return replace(report, runs=tuple(runs), targets=tuple(lines))


def _without_folders(one: Measured) -> Measured:
    subject = one.subject
    reference = subject.reference and _named(subject.reference)
    subject = replace(subject, network=_named(subject.network), reference=reference)
    return replace(one, subject=subject, refused=_said_without_folders(one.refused))


def _said_without_folders(text: str) -> str:
    return _PATH.sub(lambda found: Path(found[0]).name, text)


def _named(network: Network) -> Network:
    configs = project_dir("configs")
    inside = Path(network.config).is_relative_to(configs)
    config = f"configs/{Path(network.config).relative_to(configs).as_posix()}" if inside else network.config
    if Path(config).is_absolute():
        config = Path(config).name
    return replace(network, config=config, checkpoint=Path(network.checkpoint).name)


def page_text(report: Report, page: Path) -> str:
    """What :func:`write_page` writes into the page."""
    pictures = {title: f"{page.stem}/{name}" for title, name in plot_files(report).items()}
    return render_page(report, page.with_suffix(".json").name, page.name, pictures)
