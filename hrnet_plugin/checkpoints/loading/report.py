"""What of a checkpoint goes into a network and what does not, in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field

from .adaptation import Mismatch, layers_of

#: Share of a network's keys below which weights are not taken to start from: a new head is fine, another backbone not.
SHARE_TO_START_FROM = 0.5
#: How many groups of keys a line names.
_SHOWN = 4


@dataclass(frozen=True)
class Filled:
    """How much of a network a checkpoint fills; counters of batches, on which no output depends, do not count.

    Args:
        keys, all_keys: Parameters and saved buffers: filled, and all of the network.
        parameters, all_parameters: Numbers that are trained: filled, and all of the network.
    """

    keys: int
    all_keys: int
    parameters: int
    all_parameters: int

    @property
    def share(self) -> float:
        """Part of the network's parameters, 0 to 1."""
        return self.parameters / max(self.all_parameters, 1)

    @property
    def share_of_keys(self) -> float:
        """Part of the network's keys, 0 to 1."""
        return self.keys / max(self.all_keys, 1)


@dataclass(frozen=True)
class LoadReport:
    """How the weights of a checkpoint fit a network.

    Args:
        source: The checkpoint, as the user named it.
        filled: How much they fill.
        loaded: Keys of the network that are filled as they are.
        adapted: The stem, filled for other images than RGB ones.
        new_outputs: Left as they are in the network, for another number of keypoints or classes.
        missing: Keys of the network that the checkpoint does not have.
        mismatched: Keys of another shape.
        unused: Keys of the checkpoint that are expected to have no place in the network, by the reason why.
        unexpected: Other keys of the checkpoint without a place.
        other_outputs: What differs where the same keys are of a network with other outputs; None where nothing is known
            to differ.
        described: What the checkpoint holds, in words; '' where it fills the network.
    """

    source: str
    filled: Filled
    loaded: tuple[str, ...] = ()
    adapted: tuple[Mismatch, ...] = ()
    new_outputs: tuple[Mismatch, ...] = ()
    missing: tuple[str, ...] = ()
    mismatched: tuple[Mismatch, ...] = ()
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unexpected: tuple[str, ...] = ()
    other_outputs: str | None = None
    described: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether nothing in it needs attention: the network is filled, and nothing unexpected is left over."""
        changed = self.adapted or self.new_outputs or self.missing or self.mismatched
        return not (changed or self.unexpected or self.other_outputs)

    @property
    def first_mismatch(self) -> str:
        """What is wrong with the first key that is not filled, in words; '' where all are."""
        wrong = (*self.mismatched, *self.new_outputs)
        if wrong:
            return str(wrong[0])
        return f"{self.missing[0]} is missing" if self.missing else ""

    def summary(self) -> str:
        """How much of the network is filled, without a full stop."""
        filled = self.filled
        return (
            f"{percent(filled.share)} of {_amount(filled.all_parameters)} parameters, "
            f"{filled.keys} of {filled.all_keys} keys"
        )

    def lines(self) -> list[str]:
        """The report for a log: the summary, then a line for each kind of difference that there is."""
        lines = [f"weights of {self.source}: {self.summary()}"]
        if self.filled.share_of_keys < SHARE_TO_START_FROM:
            lines.append(f"the checkpoint holds {self.described}")
        lines += [f"adapted: {item.key} from {item.found[1]} to {item.needed[1]} channels" for item in self.adapted]
        if self.new_outputs:
            lines.append(f"left at random, of another number of outputs: {_layers(self.new_outputs)}")
        if self.missing:
            lines.append(f"missing, left as initialised: {grouped(self.missing)}")
        if self.mismatched:
            lines.append(f"of another shape, left as initialised: {len(self.mismatched)} keys, {self.mismatched[0]}")
        for reason, keys in self.unused.items():
            lines.append(f"not used, as expected: {reason} ({grouped(keys)})")
        if self.unexpected:
            lines.append(f"not used, without a place in the network: {grouped(self.unexpected)}")
        return [*lines, self.other_outputs] if self.other_outputs else lines

    def text(self) -> str:
        """The lines, all but the first indented."""
        return "\n  ".join(self.lines())

    def to_plain(self) -> dict:
        """Everything, in values that JSON knows."""
        plain = asdict(self)
        plain["filled"] |= {"share": self.filled.share, "share_of_keys": self.filled.share_of_keys}
        return plain


def percent(share: float) -> str:
    """A share as a percentage with one decimal; only the whole is 100.0 %."""
    return f"{min(100 * share, 99.9 if share < 1 else 100):.1f} %"


def grouped(keys: Collection[str]) -> str:
    """How many keys, and the parts of the network or the checkpoint that they are of: few, and as deep as that goes."""
    depths = [Counter(_part(key, depth) for key in keys) for depth in range(1, 5)]
    parts = next((parts for parts in reversed(depths) if len(parts) <= _SHOWN), depths[0])
    named = [part if len(parts) == 1 else f"{part} ({count})" for part, count in list(parts.items())[:_SHOWN]]
    more = _and_more(len(parts) - _SHOWN, "part")
    return f"{len(keys)} {'key' if len(keys) == 1 else 'keys'}: {', '.join([*named, *more])}"


def _part(key: str, depth: int) -> str:
    """The module around a key, `depth` names deep and one more in a model's backbone."""
    names = key.split(".")[:-1] or [key]
    return ".".join(names[: depth + (names[0] == "backbone")])


def _layers(mismatches: Collection[Mismatch]) -> str:
    layers = layers_of(mismatches)
    named = [f"{path} ({found}, here {needed})" for path, (found, needed) in list(layers.items())[:_SHOWN]]
    return ", ".join([*named, *_and_more(len(layers) - _SHOWN, "layer")])


def _and_more(count: int, thing: str) -> list[str]:
    return [f"and {count} {thing}{'' if count == 1 else 's'} more"] if count > 0 else []


def _amount(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 100_000 else str(number)
