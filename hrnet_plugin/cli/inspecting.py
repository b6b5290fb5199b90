"""What the commands of `hrnet inspect` share: flags, the config, what is printed and written."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.disk import write_whole
from hrnet_plugin.errors import ConfigError

from .arguments import add_config_options
from .preflight import check_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mmengine.config import Config

    from hrnet_plugin.reports.page import Page

_PLOTS = (".png", ".svg", ".pdf")


def add_command(
    commands: argparse._SubParsersAction,
    name: str,
    *,
    about: str,
    run: Callable[[argparse.Namespace], int],
    checkpoint: bool = False,
) -> argparse.ArgumentParser:
    """Adds a command of `hrnet inspect` with the flags that all of them have.

    Args:
        commands: Those of `hrnet inspect`.
        name: Of the command.
        about: What it does; the first clause, up to a colon or full stop, stands in the list of commands.
        run: What runs it.
        checkpoint: Whether it takes one.
    """
    short = about.partition(".")[0].partition(":")[0]
    parser = commands.add_parser(name, help=short[0].lower() + short[1:], description=about)
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    if checkpoint:
        parser.add_argument("checkpoint", help="a checkpoint file, or hrnet://NAME for published weights in the store")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--html", metavar="FILE", help="write a page with pictures and tables, whole in one file")
    add_config_options(parser, "model.backbone.arch=w48")
    parser.set_defaults(inspect=run)
    return parser


def read_config(args: argparse.Namespace) -> Config:
    """The config that the flags name.

    Raises:
        ConfigError: it is not there or cannot be read.
    """
    return load_config(find_config(args.config), args.cfg_options)


def parse_size(text: str | None, flag: str = "--size") -> tuple[int, int] | None:
    """(width, height) from `256x192`; None from None.

    Raises:
        ConfigError: another text.
    """
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ConfigError(flag, found=repr(text), expected="width and height in pixels, as 192x256")
    return int(parts[0]), int(parts[1])


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]], first_width: int = 0) -> None:
    """Prints a table: the first column to the left, the others to the right."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    widths[0] = max(widths[0], first_width)
    for line in lines:
        cells = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        print("  ".join([line[0].ljust(widths[0]), *cells]).rstrip())


def print_json(content: object) -> None:
    """Prints plain values as JSON."""
    print(json.dumps(content, indent=1))


def write_plot(figure: Figure, path: str | Path, flag: str = "--plot") -> None:
    """Writes a figure, by the ending of its file.

    Raises:
        ConfigError: another ending, or a file that cannot be written.
    """
    import io

    path = Path(path).expanduser()
    _check_ending(path, flag)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix[1:].lower(), dpi=120)
    write_file(buffer.getvalue(), path, flag)


def check_outputs(args: argparse.Namespace) -> None:
    """Checks before anything is computed that what `--plot` and `--html` name can be written.

    Raises:
        ConfigError: another ending, or a folder that cannot be written.
    """
    plot = getattr(args, "plot", None)
    if plot:
        _check_ending(Path(plot))
    for flag, path in (("--plot", plot), ("--html", args.html)):
        if path:
            check_writable(Path(path).expanduser().parent, f"{flag}: folder")


def _check_ending(path: Path, flag: str = "--plot") -> None:
    if path.suffix.lower() not in _PLOTS:
        raise ConfigError(f"{flag} {path}", found=f"the ending {path.suffix!r}", expected=" or ".join(_PLOTS))


def write_file(data: bytes, path: str | Path, flag: str) -> None:
    """Writes a file as a whole or not at all, and says where.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        write_whole(data, path)
    except OSError as error:
        raise ConfigError(
            f"{flag} {path}",
            found=error.strerror or str(error),
            expected="a file that can be written",
            do="Name another one",
        ) from error


def write_page(page: Page, args: argparse.Namespace) -> list[str]:
    """Writes the page where `--html` asks for it; returns the files written."""
    return [str(page.write(args.html))] if args.html else []


def print_written(files: Iterable[str], args: argparse.Namespace) -> None:
    """Says which files were written, but not into JSON."""
    if not args.json:
        for file in files:
            print(f"wrote {file}")
