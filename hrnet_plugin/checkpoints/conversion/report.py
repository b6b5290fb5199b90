"""What became of every key of a checkpoint that was converted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

MAPPED, FOLDED, ADDED, DROPPED = "mapped", "folded", "added", "dropped"
UNEXPECTED, MISSING, MISMATCH = "unexpected", "missing", "shape mismatch"
KINDS = (MAPPED, FOLDED, ADDED, DROPPED, UNEXPECTED, MISSING, MISMATCH)
#: What a conversion does not explain.
UNACCOUNTED = (UNEXPECTED, MISSING, MISMATCH)


@dataclass(frozen=True)
class Entry:
    """What became of one key.

    Args:
        kind: One of :data:`KINDS`.
        source: The key in the source; '' where it has none.
        target: The key in the result; '' where it has none.
        note: Why, or what was found.
    """

    kind: str
    source: str = ""
    target: str = ""
    note: str = ""


@dataclass(frozen=True)
class ConversionReport:
    """The account of a conversion.

    Args:
        source, target: Names of the formats.
        network: The network that was recognised, in a few words.
        entries: One a key, in the order of the source; those without a source come last.
        notes: What else there is to say.
    """

    source: str
    target: str
    network: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def unaccounted(self) -> list[Entry]:
        """The entries that the conversion does not explain."""
        return self.of_kinds(UNACCOUNTED)

    def of_kinds(self, kinds: Iterable[str]) -> list[Entry]:
        """The entries of some kinds."""
        return [entry for entry in self.entries if entry.kind in kinds]

    def counts(self) -> dict[str, int]:
        """How many entries there are of each kind."""
        found = Counter(entry.kind for entry in self.entries)
        return {kind: found[kind] for kind in KINDS}

    def as_dict(self) -> dict:
        """The report in plain values; mapped keys are listed too."""
        plain = {"source": self.source, "target": self.target, "network": self.network, "counts": self.counts()}
        return {**plain, "notes": list(self.notes), "entries": [asdict(entry) for entry in self.entries]}
