"""`hrnet convert`: a checkpoint in another repository's or framework's keys, with an account of every key."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError

if TYPE_CHECKING:
    from hrnet_plugin.checkpoints.contents import Contents
    from hrnet_plugin.checkpoints.conversion.convert import Conversion
    from hrnet_plugin.checkpoints.conversion.report import ConversionReport

HELP = "convert a checkpoint between ours, OpenMMLab, timm and the original repositories"

_SAFETENSORS = ".safetensors"
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet convert`."""
    parser.add_argument("source", metavar="SRC", help="the checkpoint, or hrnet://NAME; it is never changed")
    parser.add_argument("target", metavar="DST", help="the file to write; .safetensors writes that form")
    parser.add_argument(
        "--to", metavar="FORMAT", help="the format to write (default: ours, unless the checkpoint is ours already)"
    )
    parser.add_argument(
        "--from", dest="origin", metavar="FORMAT", help="the checkpoint's own format (default: recognised by its keys)"
    )
    parser.add_argument(
        "--backbone-only", action="store_true", help="convert the backbone alone, without neck and head"
    )
    parser.add_argument(
        "--align-corners",
        choices=("true", "false"),
        help="how the checkpoint's network upsamples, which its keys do not tell (default: as its format usually does)",
    )
    parser.add_argument("--report", metavar="FILE", help="write the account of every key to this file, as JSON")
    parser.add_argument("--force", action="store_true", help="write DST though keys are unaccounted for")
    parser.add_argument("--list", action=_ListFormats, help="show the formats that are known, and stop")


def run(args: argparse.Namespace) -> int:
    """Converts; returns 0, or 1 where keys are unaccounted for: then DST is written with `--force` alone.

    Raises:
        UserError: the checkpoint cannot be read or recognised, the format cannot hold its network, or a file cannot be
            written. The checkpoint is only ever read, and a file at DST stays as it was.
    """
    from hrnet_plugin.checkpoints.contents import read_contents
    from hrnet_plugin.checkpoints.conversion.convert import convert

    from .pretrained_sources import local_checkpoint

    source = local_checkpoint(args.source) if "://" in args.source else args.source
    _check_paths(source, args.target, args.report)
    contents = read_contents(source)
    to = args.to or _default_target(contents, args.origin)
    aligned = None if args.align_corners is None else args.align_corners == "true"
    conversion = convert(contents, to, args.origin, args.backbone_only, aligned)
    report = conversion.report
    written = not report.unaccounted or args.force
    if args.report:
        _write(json.dumps(report.as_dict(), indent=1).encode() + b"\n", args.report, "report")
    if written:
        _write(_content(conversion, args.target), args.target, "converted checkpoint")
    _print(report, args.target if written else None)
    return 1 if report.unaccounted else 0


class _ListFormats(argparse.Action):
    """Prints the formats and ends, whatever other arguments are given."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None):
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from hrnet_plugin.checkpoints.conversion.formats import FORMATS

        width = max(map(len, FORMATS))
        for known in sorted(FORMATS.values(), key=lambda known: known.name):
            print(f"{known.name:<{width}}  {known.title}")
        parser.exit()


def _check_paths(source: str, target: str, report: str | None) -> None:
    """Refuse outputs that would take the source's place, or each other's.

    Raises:
        ConfigError: two of the files are one.
    """
    source = os.path.realpath(os.path.expanduser(source))
    taken = {source: "SRC"}
    for name, path in (("DST", target), ("--report", report)):
        real = path and os.path.realpath(os.path.expanduser(path))
        if real in taken or (real and _same_file(real, source)):
            raise ConfigError(name, found=path, expected=f"another file than {taken.get(real, 'SRC')}")
        taken[real] = name


def _same_file(path: str, other: str) -> bool:
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def _default_target(contents: Contents, origin: str | None) -> str:
    from hrnet_plugin.checkpoints.conversion.recognition import find_format, recognise

    known = find_format(origin) if origin else recognise(contents)
    if known.is_ours:
        raise ConfigError(
            "--to",
            found=f"none, and a checkpoint that is ours already ({known.title})",
            expected="the format to convert to",
            do="hrnet convert --list shows them",
        )
    return "ours"


def _content(conversion: Conversion, target: str) -> object:
    from hrnet_plugin.compat.safetensors_files import plain_meta, safetensors_bytes

    if Path(target).suffix != _SAFETENSORS:
        return conversion.checkpoint()
    own = {key: value.detach().clone().contiguous() for key, value in conversion.weights.items()}
    return safetensors_bytes(own, plain_meta(conversion.meta), conversion.versions)


def _write(content: object, path: str, what: str) -> None:
    from hrnet_plugin.checkpoints.atomic import save_or_tell

    save_or_tell(content, os.path.expanduser(path), what, "What stood there before still stands")


def _print(report: ConversionReport, target: str | None) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(report.network)}[/bold]: {report.source} to {report.target}")
    counts = {kind: count for kind, count in report.counts().items() if count}
    width = max(map(len, counts), default=0)
    for kind, count in counts.items():
        console.print(f"  {kind:<{width}}  {count:>5}")
    for reason in dict.fromkeys(entry.note for entry in report.of_kinds(("dropped",))):
        console.print(f"  [bold]dropped[/bold]  {escape(reason)}")
    for entry in report.unaccounted[:_SHOWN]:
        console.print(f"  [bold red]{entry.kind}[/bold red]  {escape(f'{entry.source}: {entry.note}')}")
    if len(report.unaccounted) > _SHOWN:
        console.print(f"  and {len(report.unaccounted) - _SHOWN} more; --report FILE writes them all")
    for note in report.notes:
        console.print(f"  [bold yellow]note[/bold yellow]  {escape(note)}")
    if target is None:
        console.print(
            f"not written: {len(report.unaccounted)} keys are unaccounted for (--force writes it all the same)"
        )
    else:
        console.print(f"written: {escape(target)}")
