"""`hrnet zoo fetch`: published weights into the local store, from mirrors or from where they were published."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.download import fetch, mirrors_named
from hrnet_plugin.published.sources import SCHEME, Source, find_source, is_remote
from hrnet_plugin.published.store import stored_path, weights_dir
from hrnet_plugin.published.transfer import Listener

if TYPE_CHECKING:
    from tqdm import tqdm

_ABOUT = (
    "Fetch published weights into the local store (HRNET_WEIGHTS, or hrnet_plugin/weights in the user's cache). "
    "Mirrors are asked first: those of --mirror, then those that HRNET_MIRRORS lists. Each file's SHA-256 is checked "
    "before it takes its place; a download that stopped is continued."
)
#: Anything else may be one of OpenMMLab's short names, which only mmengine knows.
_FETCHED_AS_THEY_ARE = ("http://", "https://", f"{SCHEME}://")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `fetch` to the commands of `hrnet zoo`."""
    parser = commands.add_parser("fetch", help="fetch published weights into the local store", description=_ABOUT)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="weights by the name of their model (`hrnet zoo list`), as hrnet://NAME or by URL",
    )
    parser.add_argument(
        "--pretrained",
        action="append",
        default=[],
        metavar="CONFIG",
        help="what the training of this config starts from; may be given several times",
    )
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="URL",
        help="a folder on the web that has the files by their names; may be given several times, asked in this order",
    )
    parser.add_argument("--dir", type=Path, metavar="DIR", help="another folder than the store's")
    parser.set_defaults(zoo=run)


def run(args: argparse.Namespace) -> int:
    """Fetches what is asked for and says where each file is.

    Raises:
        ConfigError: nothing is asked for, or what is does not exist; then nothing is fetched.
        CheckpointError: weights cannot be had; those before it stay.
    """
    if not args.names and not args.pretrained:
        raise ConfigError("hrnet zoo fetch", found="no names", expected="names of weights, or --pretrained CONFIG")
    mirrors = mirrors_named(*args.mirror)
    folder = args.dir.expanduser() if args.dir else weights_dir()
    sources = [_named(name) for name in args.names]
    for name in args.pretrained:
        sources += _started_from(name)
    for source in dict.fromkeys(sources):
        was_there = stored_path(source, folder).is_file()
        path = fetch(source, folder, mirrors, ProgressBar())
        print(f"{source.name}: {path} ({_described(path, source, was_there)})")
    return 0


def _named(name: str) -> Source:
    if not is_remote(name):
        if os.sep in name or name.endswith((".pth", ".pt", ".safetensors")):
            raise ConfigError(f"hrnet zoo fetch {name}", found="a path", expected="a name of the zoo or a URL")
        return find_source(f"{SCHEME}://{name}")
    if name.startswith(_FETCHED_AS_THEY_ARE):
        return find_source(name)
    from hrnet_plugin.models.pretrained import weights_source

    return weights_source(name)


def _started_from(config: str) -> list[Source]:
    from .pretrained_sources import weights_to_start_from

    path = find_config(config)
    named = weights_to_start_from(load_config(path))
    if not named:
        print(f"{path.stem}: starts from random weights, nothing to fetch")
    return [_named(source) for source in named]


def _described(path: Path, source: Source, was_there: bool) -> str:
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    proof = f"SHA-256 checked: {source.sha256[:16]}" if source.sha256 else "not checked: no hash was published"
    return f"{'was there, ' if was_there else ''}{size}, {proof}"


class ProgressBar(Listener):
    """Shows a download as a bar where stderr is a terminal, and a line for each server that had failed before it.

    Where none delivers, the error has all of their reasons in its one line.
    """

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._failed: list[str] = []

    def waiting(self, file_name: str) -> None:
        """Says that another fetch has the file."""
        self._say(f"{file_name}: another process is fetching it, waiting")

    def begins(self, url: str, have: int, total: int | None) -> None:
        """Says which servers failed, and opens the bar, filled as far as the file is here."""
        from tqdm import tqdm

        for line in self._failed:
            self._say(line)
        self._failed.clear()
        self._bar = tqdm(
            desc=url.rpartition("/")[2], total=total, initial=have, unit="B", unit_scale=True, disable=None, leave=False
        )

    def received(self, count: int) -> None:
        """Moves the bar."""
        if self._bar is not None:
            self._bar.update(count)

    def ends(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def gives_up(self, url: str, reason: str) -> None:
        """Keeps in mind which server failed and why, until another one begins to send."""
        self._failed.append(f"{url}: {reason}")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr)
