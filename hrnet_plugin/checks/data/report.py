"""What the checks of one data set found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hrnet_plugin.analysis.skeleton import Skeleton
from hrnet_plugin.findings import Finding, errors_in, worst_first

from .labels import Labels


@dataclass(frozen=True)
class Frequency:
    """How often something occurs.

    Args:
        name: Of a keypoint or a class.
        count: Annotations, images, or pixels of masks.
        shares: 0 to 1, by the names of the table's columns.
    """

    name: str
    count: int
    shares: Mapping[str, float]


@dataclass(frozen=True)
class FrequencyTable:
    """How often each of several things occurs.

    Args:
        what: `keypoint` or `class`.
        unit: What is counted.
        rows: One for each; all have the same shares.
    """

    what: str
    unit: str
    rows: Sequence[Frequency]

    @property
    def head(self) -> list[str]:
        """Names of the columns."""
        return [self.what, self.unit, *(self.rows[0].shares if self.rows else ())]

    def to_plain(self) -> dict[str, object]:
        """As plain values, for JSON."""
        rows = [{"name": row.name, "count": row.count, "shares": dict(row.shares)} for row in self.rows]
        return {"what": self.what, "unit": self.unit, "rows": rows}


@dataclass(frozen=True)
class Suspect:
    """A picture with something wrong in it, to be drawn.

    Args:
        picture: The image file.
        check: What is wrong.
        level: `ERROR` or `NOTE`.
        name: The annotation or the file.
        box: x, y, width, height in pixels, as the checks took them.
        keypoints: K rows of x, y, visibility.
        mask: The file of the mask.
    """

    picture: Path
    check: str
    level: str
    name: str
    box: tuple[float, ...] | None = None
    keypoints: tuple[tuple[float, ...], ...] | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class DataReport:
    """All that is to be said of one data set.

    Args:
        title: Its splits and its file or folder.
        counts: Images, annotations and the like.
        findings: Errors and notes, worst first.
        frequencies: Of keypoints and classes.
        seconds: How long each part took.
        suspects: Pictures to draw, worst first.
        files: The image files.
        skeleton: How its poses are drawn; None where there are none.
        labels: How the values of its masks are to be understood.
    """

    title: str
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    frequencies: Sequence[FrequencyTable] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    suspects: Sequence[Suspect] = ()
    files: Sequence[Path] = ()
    skeleton: Skeleton | None = None
    labels: Labels | None = None

    @property
    def errors(self) -> list[Finding]:
        """The errors alone."""
        return errors_in(self.findings)

    def to_plain(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "title": self.title,
            "counts": dict(self.counts),
            "findings": [finding.to_plain() for finding in worst_first(self.findings)],
            "frequencies": [table.to_plain() for table in self.frequencies],
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }
