"""Colours and patterns of cloth, skin and things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PATTERNS = ("plain", "rings", "lines", "checks", "dots", "placket")


@dataclass(slots=True)
class Paint:
    """What a cone is coloured with.

    Colours are (3,) float32 RGB from 0 to 1. A pattern repeats along the cone every `period` pixels, counted from
    `origin` pixels, so that it runs on over neighbouring cones.

    Args:
        colour: The ground colour.
        second: The colour of the pattern.
        pattern: One of `PATTERNS`; `placket` is one stripe down the middle at `centre`.
        period: Length of one repeat in pixels.
        origin: Where the start of the cone lies in the pattern, in pixels.
        centre: Sideways place of the placket, -1 to 1; outside of it the stripe is on the hidden side.
        cut: Part of the way at which the cloth ends (0 to 1); from there on `beyond` is the colour.
        beyond: Colour after the cut.
    """

    colour: np.ndarray
    second: np.ndarray | None = None
    pattern: str = "plain"
    period: float = 10.0
    origin: float = 0.0
    centre: float = 9.0
    cut: float = 1.0
    beyond: np.ndarray | None = None


def _wave(phase: np.ndarray, sharp: float) -> np.ndarray:
    """A smooth square wave, 0 to 1, of period one."""
    ramp = np.abs(phase - np.floor(phase) - np.float32(0.5)) - np.float32(0.25)
    return np.minimum(np.maximum(ramp * np.float32(sharp) + 0.5, 0.0), 1.0)


def _pattern(paint: Paint, along: np.ndarray, sideways: np.ndarray, length: float) -> np.ndarray:
    repeats = (along * np.float32(length) + paint.origin) / np.float32(paint.period)
    sharp = max(paint.period * 0.7, 1.0)
    if paint.pattern == "rings":
        return _wave(repeats, sharp)
    if paint.pattern == "lines":
        return _wave(sideways * 2.5, 3.0)
    if paint.pattern == "checks":
        return 0.5 * (_wave(repeats, sharp) + _wave(sideways * 2.5, 3.0))
    if paint.pattern == "dots":
        return (_wave(repeats, 4.0) * _wave(sideways * 2.5 + 0.25, 4.0)) ** 2
    return np.minimum(np.maximum(2.0 - np.abs(sideways - paint.centre) * 9.0, 0.0), 1.0)


def albedo(paint: Paint, along: np.ndarray, sideways: np.ndarray | None, length: float) -> np.ndarray:
    """The unlit colour of a cone's pixels.

    Args:
        paint: What to colour with.
        along: Part of the way from start to end, 0 to 1, (h, w).
        sideways: Place across, -1 to 1, (h, w); not needed for plain colours.
        length: Length of the cone in pixels.

    Returns:
        RGB, (3, 1, 1) where it is the same everywhere, else (3, h, w).
    """
    colour = paint.colour[:, None, None]
    if paint.second is not None and sideways is not None:
        share = _pattern(paint, along, sideways, length)
        colour = colour + share * (paint.second - paint.colour)[:, None, None]
    if paint.cut < 1.0 and paint.beyond is not None:
        step = (along - np.float32(paint.cut)) * np.float32(max(length, 1.0) / 1.3) + 0.5
        share = np.minimum(np.maximum(step, 0.0), 1.0)
        colour = colour + share * (paint.beyond[:, None, None] - colour)
    return colour
