"""The rows of the tables about poses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class KeypointRow:
    """One keypoint over all persons that have a prediction.

    Args:
        name: Of the keypoint.
        labelled: Persons in whom the truth labels it.
        similarity: Its mean part in OKS, 0 to 1.
        found: Share with a similarity of 0.5 and more.
        error: Mean distance, as a share of the scale that the report names.
        pixels: Median distance in pixels of the image.
        score: Mean predicted score.
        kinds: Shares of good, jitter, inversion, swap, miss.
        pck: Share nearer than the evaluator's threshold, where it has one.
    """

    name: str
    labelled: int
    similarity: float
    found: float
    error: float
    pixels: float
    score: float
    kinds: Mapping[str, float]
    pck: float | None = None


@dataclass(frozen=True)
class SidePair:
    """A keypoint and its partner on the other side.

    Args:
        names: Of both.
        labelled: How often the truth labels one of them.
        inversions: Shares of each that lie on the other.
        swaps: Share of both that lies on another person.
    """

    names: tuple[str, str]
    labelled: int
    inversions: tuple[float, float]
    swaps: float


@dataclass(frozen=True)
class SizeRow:
    """Persons of a range of sizes.

    Args:
        name, sizes: In words.
        persons: How many.
        oks: Mean; those without a prediction count 0.
        half, three_quarters: Shares with an OKS of 0.5 and of 0.75 and more.
        ap, ar: Of the evaluator, where it measures this range.
    """

    name: str
    sizes: str
    persons: int
    oks: float
    half: float
    three_quarters: float
    ap: float | None
    ar: float | None


@dataclass(frozen=True)
class PersonCase:
    """A person that is shown, with the image and the number of its annotation."""

    image: str
    person: str
    oks: float
    kinds: Mapping[str, int]
