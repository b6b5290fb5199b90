"""What the commands of the pages print: run, and written below them.

    python docs/scripts/command_outputs.py --write [PAGE ...]

A block of `console` below `<!-- output -->` holds a command after a `$` and what it prints; `<!-- output: NAME -->`
runs it in a folder in which `planted_faults.py` has put that fault. `...` stands for what was left out. What is written
is real, and `tests/docs/test_command_outputs.py` holds the pages against it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from page_blocks import DOCS, Block, blocks, pages, split

_ANY = "..."
#: What another machine or another day writes otherwise.
_VOLATILE = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"^\d\d/\d\d \d\d:\d\d:\d\d - mmengine - "), "mmengine - "),
    (re.compile(r"\b\d+\.\d s(?=[,)])"), "0.0 s"),
)


def with_outputs(markdown: str) -> Iterator[Block]:
    """The blocks of a page that show what commands print."""
    return (block for block in blocks(markdown) if block.mark.partition(":")[0] == "output")


def fault_of(block: Block) -> str:
    """The planted fault that a block runs in; '' for none."""
    return block.mark.partition(":")[2].strip()


def sections(text: str) -> list[tuple[str, list[str]]]:
    """Commands of a block, each with the lines below it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def in_process(words: Sequence[str]) -> str:
    """What `hrnet` prints, run in this process."""
    from hrnet_plugin.cli.main import main

    stream = io.StringIO()
    # argparse ends the process for a wrong flag.
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), contextlib.suppress(SystemExit):
        main(words)
    return stream.getvalue()


def in_own_process(words: Sequence[str]) -> str:
    """What `hrnet` prints, run in a process of its own."""
    command = [sys.executable, "-m", "hrnet_plugin", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def printed(command: str, run: Callable[[Sequence[str]], str] = in_own_process) -> list[str]:
    """The lines that a command of `hrnet` prints in the current folder, less what differs from day to day."""
    words = split(command)
    if words[0] != "hrnet":
        raise ValueError(f"found {words[0]}, expected hrnet: {command}")
    here = str(Path.cwd())
    lines = run(words[1:]).replace(f"{here}/", "").splitlines()
    lines = [_without_volatile(line.rpartition("\r")[2]) for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _without_volatile(line: str) -> str:
    for pattern, instead in _VOLATILE:
        line = pattern.sub(instead, line)
    return line.rstrip()


def matches(shown: Sequence[str], real: Sequence[str]) -> bool:
    """Whether the lines of a page are those that were printed.

    A line of `...` stands for any number of lines, `...` in a line for the rest of its words.
    """
    pattern = ""
    for line in shown:
        parts = map(re.escape, line.rstrip().split(_ANY))
        pattern += "(?:.*\n)*?" if line.strip() == _ANY else ".*".join(parts) + "\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in real)) is not None


@contextlib.contextmanager
def in_folder_with(fault: str) -> Iterator[Path]:
    """An empty folder as the current one, with a fault planted in it."""
    from planted_faults import plant

    before, folder = Path.cwd(), Path(tempfile.mkdtemp(prefix="hrnet_docs_"))
    weights = os.environ.get("HRNET_WEIGHTS")
    os.environ["HRNET_WEIGHTS"] = str(folder / "weights")
    os.chdir(folder)
    try:
        plant(fault, folder)
        yield folder
    finally:
        os.chdir(before)
        os.environ.pop("HRNET_WEIGHTS")
        if weights is not None:
            os.environ["HRNET_WEIGHTS"] = weights
        shutil.rmtree(folder, ignore_errors=True)


def filled(markdown: str) -> str:
    """A page with what its commands print; blocks with `...` stay as they are."""
    for block in reversed(list(with_outputs(markdown))):
        if _ANY in block.text:
            continue
        with in_folder_with(fault_of(block)):
            lines = [line for command, _ in sections(block.text) for line in (f"$ {command}", *printed(command))]
        text = "".join(f"{block.indent}{line}".rstrip() + "\n" for line in lines)
        markdown = markdown[: block.start] + text + markdown[block.end :]
    return markdown


def main() -> None:
    """Shows or writes what the commands of the pages print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, help="default: all")
    parser.add_argument("--write", action="store_true", help="put it into the pages")
    args = parser.parse_args()
    for page in args.pages or pages(DOCS):
        text = page.read_text(encoding="utf-8")
        new = filled(text)
        if args.write and new != text:
            page.write_text(new, encoding="utf-8")
            print(f"wrote {page}")
        elif not args.write:
            print(new)


if __name__ == "__main__":
    main()
