"""What a format is made of: a table of rules between its keys and ours, which are read in both directions.

In a template `#` stands for a whole number and `*` for anything, dots included; both sides of a rule hold the same ones
in the same order. `ours` is always the name in a whole model of an OpenMMLab 1.x framework: `backbone.*`, `neck.*`,
`head.*`, `decode_head.*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from torch import Tensor


@dataclass(frozen=True)
class Change:
    """What happens to a value on its way: `forth` to ours, `back` undoes it to the last bit."""

    forth: Callable[[Tensor], Tensor]
    back: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Rename:
    """Key `theirs` is our key `ours`, its value the same unless a `change` is given."""

    theirs: str
    ours: str
    change: Change | None = None


@dataclass(frozen=True)
class Fold:
    """`theirs` is the bias of a convolution that has none with us, `ours` the running mean of the norm after it.

    (conv + bias) - mean = conv - (mean - bias): the bias goes into the mean. On the way back it returns as zero.
    """

    theirs: str
    ours: str


@dataclass(frozen=True)
class SetAside:
    """Key `theirs` has no place with us, for `reason`; its value is kept in the metadata and comes back with it."""

    theirs: str
    reason: str


Rule = Rename | Fold | SetAside


@dataclass(frozen=True)
class Format:
    """A way of writing an HRNet's weights.

    Args:
        name: As in `--to`.
        title: What it is, for the help and the report.
        rules: The first that fits a key counts.
        signs: Templates by which the format is recognised: each fits some key. `a|b` is one or the other.
        absent: Templates that fit no key of this format.
        choices: Fields of the description that its networks have and keys do not tell, such as `upsample_mode`.
        usual: Fields that its networks can have otherwise, with what they have where nobody says.
        advice: What the user should set in the config of a network that comes from it.
        source_only: Why nothing is converted into it, as a sentence that says what to do; '' where it can be.
        networks: Names of the descriptions that it can hold.
        num_stages: Stages that its HRNets have; None is any number.
        is_ours: Its models take our backbone, and keys are the same as ours: any choice can be held.
        refused: Templates of our keys that a rule would take, and that belong to another framework.
        container: Entry of the file under which weights are written; '' where the file is the weights alone.
        versions: Versions of modules, as torch keeps them beside a state dict: what was converted once is not
            converted again by the framework when it loads.
    """

    name: str
    title: str
    rules: tuple[Rule, ...]
    signs: tuple[str, ...]
    absent: tuple[str, ...] = ()
    choices: Mapping[str, object] = field(default_factory=dict)
    usual: Mapping[str, object] = field(default_factory=dict)
    advice: str = ""
    source_only: str = ""
    networks: tuple[str, ...] = ("HRNet",)
    num_stages: int | None = 4
    is_ours: bool = False
    refused: tuple[str, ...] = ()
    container: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)

    def fits(self, keys: Iterable[str]) -> bool:
        """Whether a checkpoint with these keys is of this format."""
        keys = list(keys)
        has_signs = all(any(fits_any(sign, key) for key in keys) for sign in self.signs)
        return has_signs and not any(fits_any(template, key) for template in self.absent for key in keys)

    def to_ours(self, key: str) -> tuple[Rule, str] | None:
        """The rule for one of its keys, and our key; None where there is no rule."""
        for rule in self.rules:
            wild = match(rule.theirs, key)
            if wild is not None:
                return rule, "" if isinstance(rule, SetAside) else fill(rule.ours, wild)
        return None

    def from_ours(self, key: str) -> tuple[Rename, str] | None:
        """The rule for one of our keys, and its key; None where the format has no place for it."""
        if any(fits_any(template, key) for template in self.refused):
            return None
        for rule in self.rules:
            wild = match(rule.ours, key) if isinstance(rule, Rename) else None
            if wild is not None:
                return rule, fill(rule.theirs, wild)
        return None

    def folded_bias(self, key: str) -> str | None:
        """Its key of the bias that is folded into our key, a running mean; None where none is."""
        for rule in self.rules:
            wild = match(rule.ours, key) if isinstance(rule, Fold) else None
            if wild is not None:
                return fill(rule.theirs, wild)
        return None


def fits_any(templates: str, key: str) -> bool:
    """Whether `key` is of one of the forms `a|b|..`."""
    return any(match(template, key) is not None for template in templates.split("|"))


def match(template: str, key: str) -> tuple[str, ...] | None:
    """What stands for `#` and `*` of a template in `key`; None where it is not of that form."""
    found = _pattern(template).fullmatch(key)
    return None if found is None else found.groups()


def fill(template: str, wild: Iterable[str]) -> str:
    """A template with its `#` and `*` replaced, in their order."""
    values = iter(wild)
    return re.sub(r"[#*]", lambda _: next(values), template)


@cache
def _pattern(template: str) -> re.Pattern:
    return re.compile(re.escape(template).replace(r"\#", r"(\d+)").replace(r"\*", r"(.+)"))
