"""Where something was first not finite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Culprit:
    """The first place of one rank at which something was not finite.

    Args:
        order: How many calls came before; of two ranks the one with the smaller number caused it, since what is not
            finite reaches the others through synchronised norms.
        where: A module or parameter by its name; empty where it is none.
        words: What was not finite, to follow `first not finite: `.
        images: The indices of the images at fault within the batch; empty where they cannot be told apart.
    """

    order: int
    where: str
    words: str
    images: tuple[int, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What one rank found when it ran its batch again.

    Args:
        rank: Of the process.
        names: Paths of all images of its batch.
        culprit: None where nothing was found.
        losses: Its losses by name, NaN and infinity among them.
        place: Where in the network the culprit stands, in words; empty where that is not known.
        remark: Why it could not look, where it could not.
    """

    rank: int
    names: tuple[str, ...]
    culprit: Culprit | None = None
    losses: tuple[tuple[str, float], ...] = ()
    place: str = ""
    remark: str = ""

    @property
    def images(self) -> tuple[str, ...]:
        """Paths of the images at fault; all of the batch where they cannot be told apart."""
        indices = self.culprit.images if self.culprit else ()
        return tuple(self.names[index] for index in indices if index < len(self.names)) or self.names


def guilty(findings: Sequence[Finding]) -> list[Finding]:
    """Those of the ranks at which it began; empty where none found anything."""
    found = [finding for finding in findings if finding.culprit is not None]
    first = min((finding.culprit.order for finding in found), default=0)
    return [finding for finding in found if finding.culprit.order == first]
