"""What a check has to say: one finding a fault, worst first, as lines or as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import visible

#: Something that stops a run or spoils its result.
ERROR = "error"
#: Something to know, which may well be meant.
NOTE = "note"
LEVELS = (ERROR, NOTE)


@dataclass(frozen=True)
class Finding:
    """One fault, or one kind of fault that was found in several places.

    Args:
        level: `ERROR` or `NOTE`.
        check: Name of what was checked, in a few words with hyphens, such as `head-channels`; the same for each finding
            of this kind.
        where: The key, file or module, by the name under which the user knows it.
        found: What it is.
        expected: What it should be; empty where that does not go without `do`.
        do: What usually causes it or what to do about it, as a sentence without the final stop.
        count: How many there are of this kind.
        examples: A few of them.
    """

    level: str
    check: str
    where: str
    found: str
    expected: str = ""
    do: str = ""
    count: int = 1
    examples: tuple[str, ...] = ()

    def line(self) -> str:
        """The finding on one line, without its level."""
        text = f"{self.where}: found {self.found}"
        if self.expected:
            text += f", expected {self.expected}"
        if self.do:
            text += f". {self.do}"
        return visible(" ".join(text.split()))

    def to_plain(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "level": self.level,
            "check": self.check,
            "where": self.where,
            "found": self.found,
            "expected": self.expected,
            "do": self.do,
            "count": self.count,
            "examples": list(self.examples),
        }


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors before notes, each in the order in which they were found."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """The errors alone."""
    return [finding for finding in findings if finding.level == ERROR]


def as_text(findings: Sequence[Finding]) -> str:
    """A line a finding with its examples below it, worst first, and a last line that counts them."""
    lines = []
    for finding in worst_first(findings):
        lines.append(f"{finding.level:<6} {finding.line()}")
        lines += [f"         {visible(example)}" for example in finding.examples]
    return "\n".join([*lines, tally(findings)])


def tally(findings: Sequence[Finding]) -> str:
    """How many there are of each level: `2 errors, 1 note`; `no findings` without any."""
    counts = [(level, sum(finding.level == level for finding in findings)) for level in LEVELS]
    words = [f"{count} {level}{'s' * (count != 1)}" for level, count in counts if count]
    return ", ".join(words) or "no findings"
