"""A benchmark from its first run to its files: saved after each run, taken up again where it was stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..disk import write_whole
from ..errors import ConfigError
from ..version import __version__
from .machine import Machine, describe_machine
from .page import render_page
from .plans import Plan, Settings, run_plan
from .plots import draw_plots
from .processes import Runner, run_process
from .results import FILE, Report, Run, TargetLine, read_report, write_report
from .subjects import Subject

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
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise ConfigError(f"--out {self.folder}", found="a file", expected="a folder") from error
        self.path = self.folder / FILE
        self.machine = describe_machine(self.settings.device)
        self.kept: Mapping[str, Run] = {}
        self.report = Report(self.machine, version=__version__)
        self._aside = False
        if self.path.exists():
            before = read_report(self.path)
            _check_same_machine(before.machine, self.machine, self.folder)
            self.kept = {run.name: run for run in before.runs}
            self.report = replace(self.report, targets=before.targets, remarks=before.remarks)

    def measure_plan(self, plan: Plan, tell: Callable[[str], None]) -> Run:
        """A plan's run: that of the folder, where it is the same and whole, or a new one."""
        settings, about = self.settings, self._about(plan.subjects)
        run = self._find(plan.name, plan.turns(settings), settings.processes, about)
        same = run and (run.settled, run.apart) == (plan.settle, plan.apart)
        if same and tuple(one.subject for one in run.measured) == plan.subjects:
            return self._keep(run)
        # Weights and exported files of another config or version of anything must not be taken for these.
        files = self.folder / f"files-{about}"
        files.mkdir(exist_ok=True)
        return self._keep(self._dated(run_plan(plan, replace(settings, folder=files), self.runner, tell), about))

    def measure(
        self, name: str, producer: Producer, tell: Callable[[str], None], processes: int, files: Iterable[Path] = ()
    ) -> Run:
        """A run of another kind: that of the folder, where it is the same and whole, or a new one.

        Args:
            name: Of the run.
            producer: Measures it.
            tell: Is told each step before it begins.
            processes: As many as it takes.
            files: What it is measured on.
        """
        about = self._about((), files)
        run = self._find(name, 1, processes, about)
        return self._keep(run or self._dated(producer(tell), about))

    def _find(self, name: str, turns: int, processes: int, about: str) -> Run | None:
        """The folder's run of this name, if it was measured in the same way and nothing was left out of it."""
        run, settings = self.kept.get(name), self.settings
        same = (turns, processes, settings.threads, settings.device, about)
        # What was left out may be there now.
        return run if run and _how(run) == same and not any(one.refused for one in run.measured) else None

    def _about(self, subjects: Iterable[Subject], files: Iterable[Path] = ()) -> str:
        networks = {one for subject in subjects for one in (subject.network.config, subject.network.checkpoint) if one}
        return digest(sorted({*networks, *map(str, files)}), {**self.machine.packages, "hrnet_plugin": __version__})

    def _dated(self, run: Run, about: str) -> Run:
        return replace(run, about=about, date=time.strftime("%Y-%m-%d"))

    def _keep(self, run: Run) -> Run:
        before = self.kept.get(run.name)
        if before is not None and before != run and not self._aside:
            set_aside(self.path)  # what took hours is not lost to a quick look
            self._aside = True
        runs = [one for one in self.report.runs if one.name != run.name]
        self.report = replace(self.report, runs=(*runs, run), date=max(run.date, self.report.date))
        write_report(self.everything, self.path)
        return run

    @property
    def everything(self) -> Report:
        """The report with what the folder held before and had no turn, or has had none yet: it stays in the file."""
        earlier = tuple(one for name, one in self.kept.items() if self.report.find(name) is None)
        return replace(self.report, runs=(*self.report.runs, *earlier))

    def finish(self, targets: tuple[TargetLine, ...] = (), order: Sequence[str] = ()) -> Report:
        """Writes results, page and plots; returns the report.

        Args:
            targets: Lines of the table; those of other rows stay as they were.
            order: Names of rows, as the table has them; others come last.
        """
        rows = {line.row for line in targets}
        kept = tuple(line for line in self.report.targets if line.row not in rows)
        known = [*order, *(line.row for line in (*targets, *kept))]
        lines = sorted((*targets, *kept), key=lambda line: known.index(line.row))
        self.report = replace(self.everything, targets=tuple(lines))
        write_report(self.report, self.path)
        drawn = draw_plots(self.report, self.folder / PLOTS)
        pictures = {title: f"{PLOTS}/{path.name}" for title, path in drawn.items()}
        write_whole(render_page(self.report, FILE, PAGE, pictures).encode(), self.folder / PAGE)
        return self.report


def digest(files: Sequence[str], packages: Mapping[str, str]) -> str:
    """The same for the same contents of files (a config's own file alone) and the same versions of packages."""
    found = hashlib.sha256(json.dumps(dict(packages), sort_keys=True).encode())
    for name in files:
        path = Path(name)
        found.update(name.encode())
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()[:16]


def set_aside(path: Path) -> Path:
    """Copies a file beside itself under the first free name; returns it."""
    number = 1
    while (free := path.with_name(f"{path.stem}-before-{number}{path.suffix}")).exists():
        number += 1
    write_whole(path.read_bytes(), free)
    return free


def _how(run: Run) -> tuple:
    return run.turns, run.processes, run.threads, run.device, run.about


def _check_same_machine(before: Machine, now: Machine, folder: Path) -> None:
    if (before.cpu, before.device, before.packages.get("torch")) != (now.cpu, now.device, now.packages.get("torch")):
        raise ConfigError(
            f"--out {folder}",
            found=f"results of {before.device or before.cpu} with torch {before.packages.get('torch')}",
            expected=f"an empty folder, or results of {now.device or now.cpu}",
            do="Name another folder",
        )
