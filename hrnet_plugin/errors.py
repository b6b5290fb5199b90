"""Errors a user can mend: one line that says what, found, expected and what to do.

Everything raised for a wrong input derives from :class:`UserError`. The command line prints its message
alone, without a stack trace (`--traceback` shows it), and exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: How many names an error lists where none is near.
_SHOWN = 20
#: Characters of each part of a line: what a stranger's file holds may be of any length.
_LONGEST = 600
_WORKER = "Original Traceback (most recent call last):"


class UserError(Exception):
    """A wrong input, told in one line.

    `exit_status` is what the command line ends with.

    Args:
        what: The thing that is wrong, by the name under which the user knows it.
        found: What was found there.
        expected: What should have been there.
        do: What to do about it, as a full sentence without the final stop.
    """

    exit_status = 2

    def __init__(self, what: str, *, found: object = None, expected: object = None, do: str | None = None):
        self.what, self.found, self.expected, self.do = what, found, expected, do
        super().__init__(self._line())

    def _line(self) -> str:
        line = _cut(self.what)
        if self.found is not None:
            line += f": found {_cut(self.found)}"
        if self.expected is not None:
            line += f"{',' if self.found is not None else ':'} expected {_cut(self.expected)}"
        if self.do is not None:
            line += f". {_cut(self.do)}"
        return visible(" ".join(line.split()))

    def __reduce__(self):
        # Keyword-only arguments do not survive the default pickling, which errors from data workers need.
        return _rebuild, (type(self), self.what, self.found, self.expected, self.do)


def _rebuild(kind: type[UserError], what: str, found: object, expected: object, do: str | None) -> UserError:
    return kind(what, found=found, expected=expected, do=do)


class SpecError(UserError, ValueError):
    """A wrong description of an architecture."""


class ConfigError(UserError, ValueError):
    """A wrong value in a config file or on the command line."""


class DataError(UserError, ValueError):
    """Data that is missing or broken: images, annotations, masks."""


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that is missing, broken, of another network, or that asks to run code."""


class MissingDependency(UserError, ImportError):
    """A package that is needed and not installed; says which command installs it."""


class LaunchError(UserError, RuntimeError):
    """Processes that cannot be started as asked: ports, ranks, devices, launchers."""


class Preempted(UserError, RuntimeError):
    """A training that was asked to make room, and has saved what it has done: no mistake, but no end either."""

    #: EX_TEMPFAIL of sysexits.h: to be tried again later. Launch scripts have the job requeued by it.
    exit_status = 75


class LostProcess(LaunchError):
    """Another process of the same run that has ended, or cannot be reached."""


def visible(text: str) -> str:
    """A text as it may be printed: names in a stranger's file may hold commands to the terminal, and halves of letters.

    >>> visible("caf\\u00e9 \\x1b[2J")
    'café \\\\x1b[2J'
    """
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def _cut(part: object) -> str:
    text = str(part)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def find_user_error(error: BaseException) -> UserError | None:
    """The innermost wrong input in a chain of exceptions, or None where the chain holds none."""
    found: UserError | None = None
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, UserError):
            found = current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return found and _as_raised(found)


def _as_raised(error: UserError) -> UserError:
    """The error as it was before a data-loading process passed it on: torch hands over its trace as text."""
    if _WORKER not in str(error.what):
        return error
    line = str(error.what).strip().splitlines()[-1]
    return type(error)(line.partition(": ")[2] or line)


def nearest(name: str, known: Iterable[str]) -> str:
    """Words that help after a misspelt name: the nearest known ones, or all of them where none is near.

    >>> nearest("w23", ["w18", "w32", "w48"])
    "Did you mean 'w32'?"
    """
    known = sorted(known)
    close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(item) for item in close) + "?"
    return "Known: " + ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
