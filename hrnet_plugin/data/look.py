"""What a person looks like: skin, hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SKIN = np.array(
    ((250, 222, 200), (238, 200, 172), (224, 176, 140), (198, 146, 108), (158, 108, 76), (118, 78, 56), (82, 54, 42)),
    np.float32,
)
_HAIR = np.array(
    ((24, 20, 20), (52, 34, 26), (92, 58, 36), (140, 92, 52), (200, 160, 96), (232, 204, 150), (150, 66, 32),
     (160, 158, 156), (226, 224, 220)),
    np.float32,
)  # fmt: skip


def rgb(hue: float, saturation: float, value: float) -> np.ndarray:
    """A colour (3,) float32, 0 to 1; all arguments from 0 to 1, the hue wraps around."""
    ramp = np.abs((hue * 6.0 + np.array((0.0, 4.0, 2.0))) % 6.0 - 3.0) - 1.0
    return (value * (1.0 - saturation * (1.0 - np.clip(ramp, 0.0, 1.0)))).astype(np.float32)


def between(anchors: np.ndarray, rng: np.random.Generator, jitter: float = 8.0) -> np.ndarray:
    """A colour somewhere between two neighbouring anchors (0 to 255), with some jitter; (3,) float32 from 0 to 1."""
    place = rng.uniform(0, len(anchors) - 1)
    first = min(int(place), len(anchors) - 2)
    colour = anchors[first] + (place - first) * (anchors[first + 1] - anchors[first])
    return np.clip((colour + rng.normal(0, jitter, 3)) / 255.0, 0.02, 1.0).astype(np.float32)


def skin_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour of skin, (3,) float32 from 0 to 1."""
    return between(_SKIN, rng, 5.0)


def cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour of cloth, (3,) float32 from 0 to 1: a third are black, grey or white, denim is frequent."""
    kind = rng.random()
    if kind < 0.3:
        return rgb(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.1, 0.97))
    if kind < 0.42:
        return rgb(rng.normal(0.6, 0.03), rng.uniform(0.25, 0.65), rng.uniform(0.25, 0.7))
    return rgb(rng.random(), rng.uniform(0.25, 0.95), rng.uniform(0.3, 0.97))


@dataclass(slots=True)
class Look:
    """Skin, hair and clothes of one person; colours are (3,) float32 RGB from 0 to 1.

    `sleeve` and `leg` tell where sleeves and trousers end: 0 to 1 on the upper arm or thigh, 1 to 2 on the forearm or
    shin. `pattern_period` is in units of the body's height.
    """

    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    hair_length: float
    hat: np.ndarray | None
    beard: bool
    glasses: bool
    lips: np.ndarray
    top: np.ndarray
    top_second: np.ndarray
    top_pattern: str
    pattern_period: float
    sleeve: float
    bottom: np.ndarray
    bottom_second: np.ndarray
    bottom_pattern: str
    leg: float
    skirt: float
    sock: np.ndarray
    shoe: np.ndarray
    backpack: np.ndarray | None


def _sleeve(rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < 0.1:
        return 0.0
    return (
        float(rng.uniform(0.35, 0.7))
        if kind < 0.5
        else float(rng.uniform(1.75, 1.97) if kind < 0.9 else rng.uniform(0.8, 1.4))
    )


def _leg(rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < 0.28:
        return float(rng.uniform(0.3, 0.85))
    return float(rng.uniform(1.15, 1.5)) if kind < 0.36 else float(rng.uniform(1.8, 2.0))


def sample_look(rng: np.random.Generator, feminine: float, may_wear_skirt: bool) -> Look:
    """Draw skin, hair and clothes.

    Args:
        rng: Source of randomness.
        feminine: 0 to 1; raises the chance of long hair and skirts, lowers that of beards.
        may_wear_skirt: False for poses in which a skirt would hide the knees.
    """
    skin = skin_colour(rng)
    top = cloth_colour(rng)
    one_piece = rng.random() < 0.08
    bottom = top if one_piece else cloth_colour(rng)
    style = rng.random()
    long_chance = 0.15 + 0.6 * feminine
    hair_style = "bald" if style < 0.06 * (1 - feminine) else "long" if style > 1 - long_chance else "short"
    if hair_style == "long" and rng.random() < 0.35:
        hair_style = str(rng.choice(["tail", "bun"]))
    pattern = rng.random()
    names = ("rings", "lines", "checks", "dots", "placket")
    skirt = may_wear_skirt and rng.random() < 0.38 * feminine
    return Look(
        skin=skin,
        hair=between(_HAIR, rng) if rng.random() < 0.95 else rgb(rng.random(), 0.7, 0.8),
        hair_style=hair_style,
        hair_length=float(rng.uniform(0.25, 1.2)),
        hat=cloth_colour(rng) if rng.random() < 0.12 else None,
        beard=bool(rng.random() < 0.3 * (1 - feminine) ** 0.5 - 0.05),
        glasses=bool(rng.random() < 0.12),
        lips=(skin * np.array((0.8, 0.5, 0.52), np.float32)),
        top=top,
        top_second=cloth_colour(rng),
        top_pattern="plain" if pattern < 0.52 else names[int((pattern - 0.52) / 0.48 * len(names))],
        pattern_period=float(rng.uniform(0.035, 0.11)),
        sleeve=_sleeve(rng),
        bottom=bottom,
        bottom_second=cloth_colour(rng),
        bottom_pattern="plain" if rng.random() < 0.8 else str(rng.choice(["checks", "lines", "rings", "dots"])),
        leg=_leg(rng) if not skirt else 0.1,
        skirt=float(rng.uniform(0.55, 0.9)) if skirt else 0.0,
        sock=cloth_colour(rng) if rng.random() < 0.5 else skin,
        shoe=cloth_colour(rng) * np.float32(rng.uniform(0.4, 1.0)),
        backpack=cloth_colour(rng) if rng.random() < 0.1 else None,
    )
