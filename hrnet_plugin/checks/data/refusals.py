"""Data sets that cannot be checked at all, so that the others are checked all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hrnet_plugin.errors import ConfigError, DataError, UserError
from hrnet_plugin.findings import ERROR, Finding

from .report import DataReport


@dataclass(frozen=True)
class Refusal:
    """A data set that cannot be checked.

    Args:
        splits: Those that read it.
        error: Why.
    """

    splits: tuple[str, ...]
    error: UserError

    def report(self) -> DataReport:
        """Its error as the one finding of a report."""
        what, found = self.error.what, self.error.found
        if found is None:
            what, _, found = what.partition(": ")
        finding = Finding(
            ERROR, "not-checked", what, str(found), str(self.error.expected or ""), str(self.error.do or "")
        )
        return DataReport(f"{', '.join(self.splits)}: {what}", findings=(finding,))


class Refusals:
    """What went wrong with each data set, kept until all have been looked at."""

    def __init__(self) -> None:
        self._found: dict[str, Refusal] = {}

    @contextmanager
    def of(self, *splits: str) -> Iterator[None]:
        """Keeps a wrong input that is met inside, as one of these splits; the same one of several is kept once."""
        try:
            yield
        except (DataError, ConfigError) as error:
            before = self._found.get(str(error))
            earlier = before.splits if before else ()
            self._found[str(error)] = Refusal(tuple(dict.fromkeys((*earlier, *splits))), error)

    def __iter__(self) -> Iterator[Refusal]:
        return iter(self._found.values())
