"""A finding together with the annotations or images that it is about, so that they can be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hrnet_plugin.findings import Finding

from .table import CocoTable

#: Examples that a finding names, and places that it keeps for drawing.
EXAMPLES, KEPT = 5, 12


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where.

    Args:
        finding: In words.
        annotations: Positions of some annotations that it is about, worst first; empty where it is about none.
        images: Positions of their images, or of the images that it is about.
    """

    finding: Finding
    annotations: tuple[int, ...] = ()
    images: tuple[int, ...] = ()


@dataclass(frozen=True)
class Kind:
    """What the faults of one kind share.

    Args:
        level: `ERROR` or `NOTE`.
        check: Its name.
        field: The field that is wrong.
        noun: What is counted, in the singular; empty where nothing is.
        found: What it is, behind the number and the noun.
        expected, do: See :class:`Finding`.
    """

    level: str
    check: str
    field: str
    noun: str
    found: str
    expected: str = ""
    do: str = ""

    def finding(self, where: str, count: int = 1, examples: tuple[str, ...] = ()) -> Finding:
        """The finding that there are `count` of this kind in the file `where`."""
        found = f"{counted(count, self.noun)} {self.found}" if self.noun else self.found
        return Finding(
            self.level, self.check, f"{self.field} of {where}", found, self.expected, self.do, count, examples
        )

    def of_annotations(
        self,
        table: CocoTable,
        wrong: np.ndarray,
        value: Callable[[int], str] = lambda place: "",
        badness: np.ndarray | None = None,
    ) -> list[Fault]:
        """The fault of all annotations that are wrong; empty where none is.

        Args:
            table: The file.
            wrong: (N,) bool.
            value: What to tell of an annotation behind its name.
            badness: (N,) by which the worst come first; None keeps the file's order.
        """
        places = _worst(wrong, badness)
        if not len(places):
            return []
        told = tuple(_told(table.annotation_name(place), value(place)) for place in places[:EXAMPLES].tolist())
        images = tuple(int(table.image_of[place]) for place in places[:KEPT])
        return [Fault(self.finding(table.path.name, len(places), told), tuple(places[:KEPT].tolist()), images)]

    def of_images(
        self,
        table: CocoTable,
        wrong: np.ndarray,
        value: Callable[[int], str] = lambda place: "",
        badness: np.ndarray | None = None,
    ) -> list[Fault]:
        """The fault of all images that are wrong; as :meth:`of_annotations`, with (M,) in the place of (N,)."""
        places = _worst(wrong, badness)
        if not len(places):
            return []
        told = tuple(_told(table.image_name(place), value(place)) for place in places[:EXAMPLES].tolist())
        return [Fault(self.finding(table.path.name, len(places), told), (), tuple(places[:KEPT].tolist()))]

    def of_file(self, table: CocoTable, examples: tuple[str, ...] = ()) -> list[Fault]:
        """The fault of the file as a whole."""
        return [Fault(self.finding(table.path.name, max(len(examples), 1), examples[:EXAMPLES]))]


def counted(count: int, noun: str) -> str:
    """`1 box`, `1,200 boxes`, `3 categories`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun[-1] in "sx" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def _worst(wrong: np.ndarray, badness: np.ndarray | None) -> np.ndarray:
    places = np.flatnonzero(wrong)
    return places if badness is None else places[np.argsort(-badness[places], kind="stable")]


def _told(name: str, value: str) -> str:
    return f"{name}: {value}" if value else name
