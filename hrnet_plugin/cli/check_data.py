"""`hrnet check-data`: what is wrong with the data of a config, with an annotation file, or with a folder of masks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.errors import ConfigError, visible
from hrnet_plugin.findings import tally, worst_first

from .arguments import add_config_options
from .data_root import point_at
from .explain import explained
from .preflight import check_data, check_loader

if TYPE_CHECKING:
    from rich.table import Table

    from hrnet_plugin.checks.data.report import DataReport, FrequencyTable

HELP = "check images, annotations and masks before a training"

SPLITS = ("train", "val", "test")
#: Examples of a finding, and rows of a table of frequencies, that the terminal shows.
_EXAMPLES, _ROWS = 3, 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet check-data`."""
    parser.add_argument(
        "config", nargs="?", help="a config file, or the name of one of the package's configs; else --ann or --masks"
    )
    parser.add_argument("--split", nargs="+", metavar="NAME", help="train, val, test (default: all that it has)")
    parser.add_argument("--data-root", metavar="DIR", help="read every data set of the config from this folder")
    parser.add_argument("--ann", metavar="FILE", help="an annotation file in COCO's form, without a config")
    parser.add_argument("--masks", metavar="DIR", help="a folder of semantic masks, without a config")
    parser.add_argument("--images", metavar="DIR", help="the images of --ann or --masks")
    parser.add_argument("--classes", metavar="N|NAME,...", help="with --masks: number or names of the classes")
    parser.add_argument("--image-suffix", default="", metavar="END", help="with --masks: how images end (default any)")
    parser.add_argument(
        "--mask-suffix", default=".png", metavar="END", help="with --masks: what masks have there (default .png)"
    )
    parser.add_argument(
        "--ignored", type=int, default=255, metavar="VALUE", help="with --masks: what is not learnt (default 255)"
    )
    parser.add_argument(
        "--zero-is-none", action="store_true", help="with --masks: 0 is no class (mmseg's reduce_zero_label)"
    )
    parser.add_argument("--no-images", action="store_true", help="open no image files")
    parser.add_argument("--decode", action="store_true", help="decode all images; else headers and ends are read")
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    parser.add_argument("--sheet", metavar="FILE", help="draw the worst of it onto a contact sheet (.png, .jpg)")
    parser.add_argument("--html", metavar="FILE", help="write the report as a page")
    add_config_options(parser, "train_dataloader.dataset.ann_file=a.json")


def run(args: argparse.Namespace) -> int:
    """Checks what is asked for.

    Returns:
        0, or 1 where there is an error.

    Raises:
        UserError: the arguments do not fit, or nothing of it can be checked.
    """
    _check_arguments(args)
    reports = _of_config(args) if args.config else [_of_files(args)]
    findings = [finding for report in reports for finding in report.findings]
    drawn = _draw(args, reports)
    if args.json:
        print(json.dumps({"reports": [report.to_plain() for report in reports], "found": tally(findings)}, indent=1))
    else:
        _print(reports)
        print(tally(findings))
        for line in drawn:
            print(line)
    return 1 if any(report.errors for report in reports) else 0


def _check_arguments(args: argparse.Namespace) -> None:
    given = [name for name in ("config", "ann", "masks") if getattr(args, name)]
    if len(given) != 1:
        raise ConfigError(
            "check-data", found=" and ".join(given) or "nothing to check", expected="a config, --ann or --masks"
        )
    for split in args.split or ():
        if split not in SPLITS:
            raise ConfigError("--split", found=repr(split), expected=" or ".join(SPLITS))
    if args.config:
        return
    for name in ("split", "data_root", "cfg_options"):
        if getattr(args, name):
            raise ConfigError(f"--{name.replace('_', '-')}", found="no config", expected="one that it belongs to")
    if args.images is None and not (args.ann and args.no_images):
        raise ConfigError(f"--{given[0]}", found="no --images", expected="the folder of the images")
    if args.masks and not args.classes:
        raise ConfigError("--masks", found="no --classes", expected="the number of classes, or their names")


def _of_config(args: argparse.Namespace) -> list[DataReport]:
    cfg = load_config(find_config(args.config), args.cfg_options)
    if args.data_root:
        point_at(cfg, args.data_root)
    for split in args.split or ():
        check_loader(cfg, f"{split}_dataloader")
    splits = args.split or [split for split in SPLITS if cfg.get(f"{split}_dataloader")]
    if not splits:
        check_loader(cfg, "train_dataloader")
    with explained(cfg):
        from hrnet_plugin.checks.data.refusals import Refusals
        from hrnet_plugin.checks.data.sources import data_sources, each_once
        from hrnet_plugin.checks.data.splits import check_splits

    refusals, sources, found, images = Refusals(), [], [], not args.no_images
    for split in splits:
        with refusals.of(split), explained(cfg):
            check_data(cfg, (f"{split}_dataloader",), ())
            sources += data_sources(cfg, (split,))
    for source in each_once(sources):
        with refusals.of(*source.splits), explained(cfg):
            report = source.check(images=images, decode=args.decode, progress=not args.json)
            found.append((source.splits, report))
    if not found:
        raise next(iter(refusals)).error
    found += [(refusal.splits, refusal.report()) for refusal in refusals]
    found.sort(key=lambda one: SPLITS.index(one[0][0]))
    return [*(report for _, report in found), *check_splits(found, images=images)]


def _of_files(args: argparse.Namespace) -> DataReport:
    from hrnet_plugin.checks.data import check_coco, check_masks

    how = {"decode": args.decode, "progress": not args.json}
    if args.ann:
        return check_coco(args.ann, None if args.no_images else args.images, **how)
    return check_masks(
        args.images,
        args.masks,
        _classes(args.classes),
        image_suffix=args.image_suffix,
        mask_suffix=args.mask_suffix,
        ignored=args.ignored,
        zero_is_none=args.zero_is_none,
        look=not args.no_images,
        **how,
    )


def _classes(text: str) -> int | list[str]:
    if not text.isdecimal():
        return [name.strip() for name in text.split(",") if name.strip()]
    if not 1 <= int(text) <= 255:
        raise ConfigError("--classes", found=text, expected="a number from 1 to 255")
    return int(text)


def _draw(args: argparse.Namespace, reports: Sequence[DataReport]) -> list[str]:
    """Writes sheet and page where they are asked for; returns what to say of them."""
    if not (args.sheet or args.html):
        return []
    from hrnet_plugin.checks.data.drawing import draw_worst, write_sheet
    from hrnet_plugin.checks.data.page import data_page

    drawn, told = draw_worst(reports), []
    if args.sheet:
        told.append(
            f"drawn: {write_sheet(drawn, reports, args.sheet)}" if drawn else "nothing to draw, no sheet written"
        )
    if args.html:
        about = {"checked": args.config or args.ann or args.masks}
        told.append(f"written: {data_page('Data', about, reports, drawn).write(args.html)}")
    return told


def _print(reports: Sequence[DataReport]) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for report in reports:
        console.print(report.title, style="bold", soft_wrap=True)
        if report.counts:
            console.print(f"  {_in_words(report)}", style="dim", soft_wrap=True)
        if report.findings:
            console.print(_findings_table(report))
        for counts in report.frequencies:
            console.print(_frequency_table(counts))
        console.print()


def _in_words(report: DataReport) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in report.counts.items())
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in report.seconds.items())
    return f"{counts} ({seconds})" if seconds else counts


def _findings_table(report: DataReport) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("check", no_wrap=True)
    table.add_column("count", justify="right")
    table.add_column("found", overflow="fold")
    for finding in worst_first(report.findings):
        told = Text(finding.line().partition(": found ")[2])
        for example in finding.examples[:_EXAMPLES]:
            told.append(f"\n{visible(example)}", style="dim")
        colour = "bold red" if finding.level == "error" else "yellow"
        table.add_row(Text(finding.level, style=colour), Text(finding.check), f"{finding.count:,}", told)
    return table


def _frequency_table(counts: FrequencyTable) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(counts.head):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in counts.rows[:_ROWS]:
        table.add_row(Text(row.name), f"{row.count:,}", *(f"{100 * share:.1f} %" for share in row.shares.values()))
    if len(counts.rows) > _ROWS:
        table.add_row(f"and {len(counts.rows) - _ROWS} more")
    return table
