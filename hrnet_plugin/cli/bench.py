"""`hrnet bench`: networks against each other on this machine, as ratios with their intervals."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, DataError, UserError

if TYPE_CHECKING:
    from ..bench.plans import Settings
    from ..bench.results import Report, Run

HELP = "measure latency, throughput, memory and share of the machine's limit, also against mmpose, mmseg or timm"

_QUICK = {"processes": 1, "repeats": 5}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet bench`."""
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help="config files, or names of the package's configs")
    parser.add_argument("--suite", metavar="NAME", help="a table of targets instead: targets, or gpu on a card")
    parser.add_argument("--rows", type=_words, default=(), metavar="A,B", help="only these rows of the suite")
    _add_grid(parser)
    how = parser.add_argument_group("how it is measured")
    how.add_argument("--repeats", type=int, default=30, metavar="N", help="turns of each process (default 30)")
    how.add_argument("--processes", type=int, default=5, metavar="N", help="fresh processes (default 5)")
    how.add_argument("--quick", action="store_true", help="one process of five turns, to see that it works")
    how.add_argument("--threads", type=int, default=2, metavar="N", help="of the CPU (default 2)")
    how.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default cpu")
    files = parser.add_argument_group("files")
    files.add_argument(
        "--out",
        type=Path,
        default=Path("work_dirs/bench"),
        metavar="DIR",
        help="results.json, results.md and plots (default %(default)s); what is there already is not measured again",
    )
    files.add_argument("--from", dest="source", type=Path, metavar="FILE", help="measure nothing, read these results")
    files.add_argument("--page", type=Path, metavar="FILE", help="also write this page, with its JSON and its plots")
    files.add_argument(
        "--remark",
        action="append",
        default=[],
        metavar="TEXT",
        help="a paragraph for the top of the page; may be repeated",
    )


def _add_grid(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what is measured")
    what.add_argument(
        "--runtimes",
        type=_words,
        default=("torch",),
        metavar="A,B",
        help="torch, torch-compile, onnxruntime, openvino, ncnn (default torch)",
    )
    what.add_argument("--precisions", type=_words, default=("fp32",), metavar="A,B", help="fp32, bf16, int8")
    what.add_argument("--sizes", type=_words, default=(), metavar="WxH,...", help="default: the config's own")
    what.add_argument("--batches", type=_words, default=("1",), metavar="N,...", help="images a call (default 1)")
    what.add_argument("--against", default="", metavar="NAME", help="the baseline: mmpose's, mmseg's or timm's network")
    what.add_argument("--checkpoint", type=Path, metavar="FILE", help="weights; for the suite, of a W32 on people")
    what.add_argument("--data-root", type=Path, metavar="DIR", help="suite: generated people, 300 val and 500 test")


def run(args: argparse.Namespace) -> int:
    """Measure, or render what was measured; returns the exit status.

    Raises:
        UserError: for everything in configs, options, packages and files that stands in the way.
    """
    _check_flags(args)
    report = _read(args) if args.source else _measure(args)
    if args.page:
        from ..bench.publishing import write_page

        report = replace(report, remarks=(*report.remarks, *args.remark))
        for path in write_page(report, args.page):
            print(f"written: {path}")
    return 0


#: Flags of the configs alone, of a suite alone, and of whatever measures.
_OF_CONFIGS = ("runtimes", "precisions", "sizes", "batches", "against")
_OF_A_SUITE = ("rows", "data_root")
_OF_MEASURING = ("checkpoint", "repeats", "processes", "quick", "threads", "device", "out")


def _check_flags(args: argparse.Namespace) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    others = _OF_CONFIGS if args.suite else _OF_A_SUITE
    of_both = ("configs", "suite", *_OF_CONFIGS, *_OF_A_SUITE, *_OF_MEASURING)
    for name in of_both if args.source else others:
        if getattr(args, name) != parser.get_default(name) and getattr(args, name):
            mode = f"--from {args.source}" if args.source else f"--suite {args.suite}" if args.suite else "configs"
            flag = "CONFIG" if name == "configs" else "--" + name.replace("_", "-")
            raise ConfigError(f"{flag} with {mode}", found="something that would not be read", do="Leave one out")
    if args.remark and not args.page:
        raise ConfigError("--remark", found="no page to write it on", do="Give --page FILE, too")
    if args.page:
        from ..bench.publishing import check_page

        check_page(args.page, args.out, args.source)


def _read(args: argparse.Namespace) -> Report:
    from ..bench.results import read_report

    report = read_report(args.source)
    if report.targets:
        _print_targets(report)
    else:
        _print_runs(report.runs)
    return report


def _measure(args: argparse.Namespace) -> Report:
    if bool(args.configs) == bool(args.suite):
        found = "both" if args.suite else "neither"
        raise ConfigError("hrnet bench", found=found, expected="configs, or --suite targets")
    if args.device == "cuda":
        _check_card()
    from ..bench.plans import Settings

    repeats, processes = (_QUICK["repeats"], _QUICK["processes"]) if args.quick else (args.repeats, args.processes)
    folder = args.out.resolve()
    settings = Settings(folder, processes, repeats, args.threads, args.device, strict=not args.suite)
    if args.suite:
        report = _run_suite(args, settings)
        _print_targets(report)
    else:
        report, names = _run_configs(args, settings)
        _print_runs([run for run in report.runs if run.name in names])
    print(f"results, page and plots: {args.out}")
    return report


def _run_configs(args: argparse.Namespace, settings: Settings) -> tuple[Report, Sequence[str]]:
    """The report, with what the folder held before, and the names of the runs that were asked for."""
    from hrnet_plugin.config_files import find_config, load_config

    from ..bench.grid import Grid, plan_grid
    from ..bench.session import Session

    if args.checkpoint is not None and not args.checkpoint.is_file():
        raise DataError(f"--checkpoint {args.checkpoint}", found="no such file", expected="weights of the config")
    grid = Grid(
        args.runtimes,
        args.precisions,
        tuple(_size(text) for text in args.sizes),
        tuple(_count(text) for text in args.batches),
        args.against,
        str(args.checkpoint.resolve()) if args.checkpoint else "",
        args.device,
    )
    paths = [find_config(name).resolve() for name in args.configs]
    for path in paths:
        load_config(path)
    plans = [plan_grid(path, grid) for path in paths]
    names = [plan.name for plan in plans]
    if len(set(names)) < len(names):
        raise ConfigError("configs of the same name", found=", ".join(map(str, paths)), expected="a name for each")
    session = Session(settings)
    for plan in plans:
        with _progress(plan.name, plan.steps(settings)) as tell:
            session.measure_plan(plan, tell)
    return session.finish(), names


def _run_suite(args: argparse.Namespace, settings: Settings) -> Report:
    from ..bench.session import Session
    from ..bench.suite.catalogue import find_suite
    from ..bench.suite.whole_processes import Given

    whole = find_suite(args.suite)
    suite = whole.only(args.rows)
    if suite.device != settings.device:
        found = f"--device {settings.device}"
        raise ConfigError(f"--suite {args.suite}", found=found, expected=f"--device {suite.device}")
    given = Given(args.checkpoint, args.data_root, _shared())
    plans = suite.make_plans(given)
    print(f"about {sum(plan.expected_minutes(settings) for plan in plans):.0f} minutes on two cores, and test tools")
    session, reasons = Session(settings), {}
    for plan in plans:
        with _progress(plan.name, plan.steps(settings)) as tell, _told(reasons, plan.name):
            session.measure_plan(plan, tell)
    for name, tool in suite.tools.items():
        if not given.is_enough:
            reasons[name] = "give --checkpoint and --data-root"
            continue
        with _progress(name, None) as tell:
            processes = suite.processes_of(name, settings)
            with _told(reasons, name):
                produce = partial(tool, given, settings)
                session.measure(name, produce, tell, processes, given.files)
    return session.finish(suite.table(session.everything, reasons), whole.rows)


@contextmanager
def _told(reasons: dict[str, str], run: str) -> Iterator[None]:
    """Keeps why a run could not be measured: what the others found is shown all the same."""
    try:
        yield
    except UserError as error:
        reasons[run] = str(error)


@contextmanager
def _progress(name: str, steps: int | None) -> Iterator[Callable[[str], None]]:
    """A bar that says which process runs, and about how long the rest takes."""
    from tqdm import tqdm

    with tqdm(total=steps, unit="process", disable=None) as bar:
        begun = False

        def tell(text: str) -> None:
            nonlocal begun
            bar.update(int(begun))
            begun = True
            bar.set_description(f"{name}: {text}")
            if bar.disable:  # no terminal to draw on
                print(f"{name}: {text}", flush=True)

        yield tell
        bar.update(1)


def _print_targets(report: Report) -> None:
    from ..bench.tables import targets_table

    print(f"\n{targets_table(report)}")


def _print_runs(runs: Sequence[Run]) -> None:
    from ..bench.tables import ratios_table, refusals, times_table
    from ..bench.wording import describe_protocol

    for run in runs:
        print(f"\n{run.title}: {describe_protocol(run)}\n\n{ratios_table(run)}\n{times_table(run)}")
        print("\n".join(refusals(run)))


def _check_card() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ConfigError("--device cuda", found="no CUDA device", expected="a card that torch sees: `hrnet doctor`")


def _shared() -> Path | None:
    """The folder with real weights and images, where the environment names one that has them."""
    import os

    folder = Path(os.environ.get("HRNET_SHARED", ""))
    return folder if os.environ.get("HRNET_SHARED") and (folder / "weights").is_dir() else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ConfigError("--sizes", found=repr(text), expected="WIDTHxHEIGHT in pixels, as in 192x256")
    return int(width), int(height)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ConfigError("--batches", found=repr(text), expected="whole numbers of at least 1")
    return int(text)
