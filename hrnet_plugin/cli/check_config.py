"""`hrnet check-config`: everything that is wrong with a config, told in seconds, without its data."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.errors import visible
from hrnet_plugin.findings import ERROR, NOTE, errors_in, tally, worst_first

from .arguments import add_config_options

if TYPE_CHECKING:
    from hrnet_plugin.findings import Finding

HELP = "check a config in seconds, without its data: everything that is wrong with it, not only the first"

_COLOURS = {ERROR: "bold red", NOTE: "bold yellow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet check-config`."""
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--html", metavar="FILE", help="write the findings to a page, too")
    add_config_options(parser, "model.head.out_channels=5")


def run(args: argparse.Namespace) -> int:
    """Check a config: nothing is trained, downloaded or read but the config and the files that it is made of.

    Returns:
        0, or 1 where there is an error; notes alone are no reason.

    Raises:
        UserError: the config cannot be read, or the page cannot be written.
    """
    # What configs and constructors print has no place among the findings.
    with _without_collecting(), redirect_stdout(sys.stderr):
        path = find_config(args.config)
        cfg = load_config(path, args.cfg_options)
        from hrnet_plugin.checks.config import check_config

        findings = check_config(cfg, args.cfg_options)
    if args.html:
        _write_page(path, args.cfg_options, findings, args.html)
    if args.json:
        print(json.dumps(_as_plain(path, findings), indent=2))
    else:
        _print(path, findings)
    return 1 if errors_in(findings) else 0


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Without Python looking for garbage while frameworks are imported: they make objects by the million that stay.

    The same holds for the end of the process, which would look through them once more.
    """
    import atexit

    was_enabled = gc.isenabled()
    gc.disable()
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _as_plain(path: Path, findings: Sequence[Finding]) -> dict[str, object]:
    errors = len(errors_in(findings))
    return {
        "config": str(path),
        "errors": errors,
        "notes": len(findings) - errors,
        "findings": [finding.to_plain() for finding in findings],
    }


def _print(path: Path, findings: Sequence[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    for finding in worst_first(findings):
        colour = _COLOURS[finding.level]
        console.print(f"[{colour}]{finding.level:<6}[/{colour}] {escape(finding.line())}")
        for example in finding.examples:
            console.print(f"       {escape(visible(example))}")
    console.print(f"{escape(str(path))}: {tally(findings)}")


def _write_page(path: Path, options: Sequence[str], findings: Sequence[Finding], file: str) -> None:
    from hrnet_plugin.reports.page import Page

    about = {"config": path, "options": " ".join(options) or "none", "found": tally(findings)}
    page = Page(f"Check of {path.stem}", about)
    for level, title in ((ERROR, "Errors"), (NOTE, "Notes")):
        some = [finding for finding in findings if finding.level == level]
        if some or level == ERROR:
            page.section(title)
            page.findings(some)
    page.write(file)
