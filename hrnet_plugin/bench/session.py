"""A benchmark from its first run to its files: saved after each run, taken up again where it was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..disk import write_whole
from ..errors import ConfigError
from ..locations import project_dir
from ..version import __version__
from .machine import Machine, describe_machine
from .page import render_page
from .plans import Plan, Settings, run_plan
from .plots import draw_plots, plot_files
from .processes import Runner, run_process
from .results import FILE, Measured, Report, Run, TargetLine, read_report, write_report
from .subjects import Network

PAGE = "results.md"
PLOTS = "plots"

#: Measures a run; is told each step before it begins.
Producer = Callable[[Callable[[str], None]], Run]


@dataclass
class Session:
    """Runs of one benchmark in one folder.

    Args:
        settings: How it is measured, and the folder.
        runner: Does a job; by default in a fresh process.

    Raises:
        ConfigError: the folder holds results of another machine or device.
        DataError: the folder's results are broken.
    """

    settings: Settings
    runner: Runner = field(default_factory=lambda: run_process)

    def __post_init__(self):
        self.folder = Path(self.settings.folder)
        self.path = self.folder / FILE
        machine = describe_machine(self.settings.device)
        self.report = Report(machine, date=time.strftime("%Y-%m-%d"), version=__version__)
        self.kept: Mapping[str, Run] = {}
        if self.path.exists():
            before = read_report(self.path)
            _check_same_machine(before.machine, machine, self.folder)
            self.kept = {run.name: run for run in before.runs}

    def measure_plan(self, plan: Plan, tell: Callable[[str], None]) -> Run:
        """A plan's run: that of the folder, where it is the same, or a new one."""
        run = self.kept.get(plan.name)
        subjects = tuple(one.subject for one in run.measured) if run else ()
        settings = self.settings
        same = (plan.turns(settings), settings.processes, settings.threads, settings.device)
        if run and subjects == plan.subjects and (run.turns, run.processes, run.threads, run.device) == same:
            return self._keep(run)
        return self._keep(run_plan(plan, settings, self.runner, tell))

    def measure(self, name: str, producer: Producer, tell: Callable[[str], None]) -> Run:
        """A run of another kind: that of the folder, where it took as many processes, or a new one."""
        run = self.kept.get(name)
        if run and run.threads == self.settings.threads and run.processes in (1, self.settings.processes):
            return self._keep(run)
        return self._keep(producer(tell))

    def _keep(self, run: Run) -> Run:
        runs = [one for one in self.report.runs if one.name != run.name]
        self.report = replace(self.report, runs=(*runs, run))
        write_report(self._with_earlier(), self.path)
        return run

    def _with_earlier(self) -> Report:
        """The report with what the folder held before and had no turn, or has had none yet: it stays in the file."""
        earlier = tuple(one for name, one in self.kept.items() if self.report.find(name) is None)
        return replace(self.report, runs=(*self.report.runs, *earlier))

    def finish(self, targets: tuple[TargetLine, ...] = ()) -> Report:
        """Writes results, page and plots; returns the report."""
        self.report = replace(self._with_earlier(), targets=targets)
        write_report(self.report, self.path)
        drawn = draw_plots(self.report, self.folder / PLOTS)
        pictures = {title: f"{PLOTS}/{path.name}" for title, path in drawn.items()}
        write_whole(render_page(self.report, FILE, PAGE, pictures).encode(), self.folder / PAGE)
        return self.report


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
    return replace(report, runs=tuple(runs))


def _without_folders(one: Measured) -> Measured:
    subject = one.subject
    reference = subject.reference and _named(subject.reference)
    return replace(one, subject=replace(subject, network=_named(subject.network), reference=reference))


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


def _check_same_machine(before: Machine, now: Machine, folder: Path) -> None:
    if (before.cpu, before.device, before.packages.get("torch")) != (now.cpu, now.device, now.packages.get("torch")):
        raise ConfigError(
            f"--out {folder}",
            found=f"results of {before.device or before.cpu} with torch {before.packages.get('torch')}",
            expected=f"an empty folder, or results of {now.device or now.cpu}",
            do="Name another folder",
        )
