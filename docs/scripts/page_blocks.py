"""What stands in a page besides text: its blocks of code, its commands, its links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(
    r"(?:^(?P<indent> *)<!-- (?P<mark>[^>]*?) -->\n)?^(?P<own> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
#: What begins a command that is ours to check.
_OURS = ("hrnet ", "python tools/", "bash tools/", "python docs/")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Args:
        language: `bash`, `python`, `console`, ...; '' where there is none.
        text: Without fences and indentation.
        mark: The comment in the line above, such as `output` or `file: configs/horses.py`; '' without one.
        start, end: Where its text begins and ends in the page.
        indent: Of its lines, in a list.
    """

    language: str
    text: str
    mark: str
    start: int
    end: int
    indent: str = ""


def pages(folder: Path = DOCS) -> list[Path]:
    """Every page of Markdown, in order."""
    return sorted(folder.rglob("*.md"))


def blocks(markdown: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    for found in _BLOCK.finditer(markdown):
        text = "".join(line.removeprefix(found["own"]) for line in found["text"].splitlines(keepends=True))
        yield Block(found["language"], text, found["mark"] or "", found.start("text"), found.end("text"), found["own"])


def commands(block: Block) -> list[list[str]]:
    """The commands of this project in a block, split into words: of `console` the lines after a `$`."""
    if block.language not in ("bash", "console"):
        return []
    joined = block.text.replace("\\\n", " ")
    lines = joined.splitlines()
    if block.language == "console":
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    return [words for line in lines if (words := split(line)) and f"{' '.join(words)} ".startswith(_OURS)]


def split(line: str) -> list[str]:
    """A command line as words: without its comment, and without variables set in front of it."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    return words
