"""Values as nobody would write them, and good ones with such a value somewhere in them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

from hypothesis import strategies as st

_TEXTS = [
    "",
    " ",
    "w32",
    "\0",
    "\x1b[2J",
    "\ud800",
    "a" * 5000,
    "../..",
    "/dev/zero",
    "é人\u202e",
    "1e999",
    "{}",
    "None",
]
_NUMBERS = [0, 1, 2, -1, 2**31, 2**63, -(2**63), 2**200, 10**12, 0.5, -0.0, 1e308, float("nan"), float("inf")]

TEXTS = st.one_of(st.sampled_from(_TEXTS), st.text(max_size=8))
NUMBERS = st.one_of(st.sampled_from(_NUMBERS), st.integers(-4, 70), st.floats())
#: Everything that JSON can hold.
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def spoilt(draw: Callable, good: st.SearchStrategy, junk: st.SearchStrategy = JUNK, most: int = 2) -> object:
    """A good value of dicts and lists, in which up to `most` places are replaced, taken out, doubled or added."""
    value = copy.deepcopy(draw(good))
    for _ in range(draw(st.integers(0, most))):
        chance = random.Random(draw(st.integers(0, 2**16)))
        value = _spoil(
            value, chance, draw(junk), draw(st.sampled_from(("replace", "replace", "drop", "double", "add")))
        )
    return value


def _spoil(value: object, chance: random.Random, junk: object, how: str) -> object:
    """One place of a value changed: the deeper it lies, the more rarely."""
    if not isinstance(value, (dict, list)) or not value or chance.random() < 0.1:
        return junk if how == "replace" else value
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = chance.choice(keys)
    if isinstance(value[key], (dict, list)) and chance.random() < 0.8:
        value[key] = _spoil(value[key], chance, junk, how)
    elif how == "replace":
        value[key] = junk
    elif how == "drop":
        del value[key]
    elif isinstance(value, list):
        value.append(copy.deepcopy(value[key]) if how == "double" else junk)
    else:
        value[str(junk)[:20] if how == "add" else f"{key}s"] = junk
    return value
