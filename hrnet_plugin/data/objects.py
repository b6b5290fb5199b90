"""Solid things that stand among the people: crates, balls, posts, plants, benches. Class `object` of the masks."""

from __future__ import annotations

import cv2
import numpy as np

from .look import between, cloth_colour, rgb
from .paint import Paint
from .parts import OBJECT
from .raster import Cone, Layer, Light, bounds, draw

_SHIFT = 3
_WOOD = np.array(((92, 58, 34), (150, 100, 58), (196, 148, 96), (222, 190, 144)), np.float32)


def _blank(points: np.ndarray, height: int, width: int) -> Layer:
    low, high = np.floor(points.min(0)).astype(int) - 2, np.ceil(points.max(0)).astype(int) + 3
    return Layer.empty(max(low[0], 0), max(low[1], 0), min(high[0], width), min(high[1], height))


def _polygons(faces: list[tuple[np.ndarray, np.ndarray]], height: int, width: int) -> Layer:
    """A layer of flat faces: ((N, 2) corners in pixels, colour from 0 to 1), the later over the earlier."""
    layer = _blank(np.concatenate([corners for corners, _ in faces]), height, width)
    if not layer.alpha.size:
        return layer
    canvas = np.zeros((*layer.alpha.shape, 4), np.uint8)
    for corners, colour in faces:
        ink = (*(np.clip(colour, 0, 1) * 255).astype(int).tolist(), 255)
        shifted = np.round((corners - (layer.left, layer.top)) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(canvas, [shifted], ink, cv2.LINE_AA, _SHIFT)
    pixels = canvas.astype(np.float32) * np.float32(1 / 255)
    layer.colour[:], layer.alpha[:] = pixels[..., :3].transpose(2, 0, 1), pixels[..., 3]
    layer.part[layer.alpha > 0.5] = OBJECT
    return layer


def _solids(cones: list[Cone], light: Light, height: int, width: int) -> Layer:
    left, top, right, bottom = bounds(cones)
    layer = _blank(np.array(((left, top), (right, bottom))), height, width)
    if layer.alpha.size:
        for cone in cones:
            draw(layer, cone, light)
    return layer


def crate(
    rng: np.random.Generator, foot: np.ndarray, wide: float, tall: float, light: Light, height: int, width: int
) -> Layer:
    """A box seen from a little above; `foot` (x, y) is the middle of its lower front edge, in pixels."""
    wood = rng.random() < 0.5
    colour = between(_WOOD, rng) if wood else cloth_colour(rng)
    left, right = foot[0] - wide / 2, foot[0] + wide / 2
    shift = np.array((rng.uniform(-0.3, 0.3) * wide, -rng.uniform(0.12, 0.3) * wide))
    front = np.array(((left, foot[1]), (right, foot[1]), (right, foot[1] - tall), (left, foot[1] - tall)))
    side = front[[1, 2]] if shift[0] > 0 else front[[0, 3]]
    lit = light.direction[0] * np.sign(shift[0])
    faces = [
        (np.concatenate((side, side[::-1] + shift)), colour * np.float32(0.62 + 0.25 * max(lit, 0))),
        (np.concatenate((front[[3, 2]], front[[2, 3]] + shift)), colour * np.float32(1.08)),
        (front, colour * np.float32(0.86)),
    ]
    for share in np.linspace(0, 1, int(rng.integers(2, 6)))[1:-1]:
        line, thick = foot[1] - tall * share, max(tall * 0.025, 0.6)
        groove = np.array(((left, line), (right, line), (right, line + thick), (left, line + thick)))
        faces.append((groove, colour * np.float32(0.55)))
    return _polygons(faces, height, width)


def _crate(rng: np.random.Generator, foot: np.ndarray, size: float, light: Light, height: int, width: int) -> Layer:
    return crate(rng, foot, size * rng.uniform(0.3, 0.6), size * rng.uniform(0.18, 0.5), light, height, width)


def _ball(rng: np.random.Generator, foot: np.ndarray, size: float, light: Light, height: int, width: int) -> Layer:
    radius = float(size * rng.uniform(0.06, 0.17))
    turn = rng.uniform(0, 2 * np.pi)
    centre = np.array((foot[0], foot[1] - radius, 0.0))
    tip = centre + np.array((np.cos(turn), np.sin(turn), 0.0)) * 0.1
    pattern = ("plain", "rings", "lines", "checks")[int(rng.integers(4))]
    paint = Paint(cloth_colour(rng), cloth_colour(rng), pattern, period=radius)
    return _solids([Cone(centre, tip, radius, radius, paint, OBJECT)], light, height, width)


def _post(rng: np.random.Generator, foot: np.ndarray, size: float, light: Light, height: int, width: int) -> Layer:
    radius = float(size * rng.uniform(0.018, 0.06))
    tall = size * rng.uniform(0.5, 1.8)
    top = np.array((foot[0] + rng.normal(0, 0.03) * tall, foot[1] - tall, 0.0))
    grey = rgb(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.25, 0.9))
    paint = Paint(
        grey, cloth_colour(rng), "rings" if rng.random() < 0.4 else "plain", period=float(size * rng.uniform(0.1, 0.3))
    )
    cones = [Cone(np.append(foot, 0.0), top, radius, float(radius * rng.uniform(0.7, 1.0)), paint, OBJECT)]
    if rng.random() < 0.35:
        cones.append(Cone(top, top + 0.1, radius * 2.2, radius * 2.2, Paint(cloth_colour(rng)), OBJECT))
    return _solids(cones, light, height, width)


def _plant(rng: np.random.Generator, foot: np.ndarray, size: float, light: Light, height: int, width: int) -> Layer:
    pot = size * rng.uniform(0.08, 0.14)
    base, rim = np.append(foot, 0.0), np.append(foot - (0, pot * 1.7), 0.0)
    clay = between(np.array(((120, 60, 40), (200, 110, 70), (225, 220, 210)), np.float32), rng)
    cones = [Cone(base - (0, pot * 0.6, 0), rim, pot * 0.7, pot, Paint(clay), OBJECT, flat=True)]
    green = rgb(rng.normal(0.3, 0.05), rng.uniform(0.4, 0.8), rng.uniform(0.35, 0.7))
    for _ in range(int(rng.integers(7, 14))):
        angle, length = rng.normal(0, 0.6), size * rng.uniform(0.15, 0.42)
        tip = rim + np.array((np.sin(angle), -np.cos(angle), rng.normal(0, 0.3))) * length
        leaf = Paint(green * np.float32(rng.uniform(0.7, 1.25)))
        middle = rim * 0.45 + tip * 0.55
        cones.append(Cone(rim, middle, size * 0.008, size * 0.026, leaf, OBJECT))
        cones.append(Cone(middle, tip, size * 0.026, size * 0.006, leaf, OBJECT))
    return _solids(cones, light, height, width)


def _bench(rng: np.random.Generator, foot: np.ndarray, size: float, light: Light, height: int, width: int) -> Layer:
    wide, tall, thick = size * rng.uniform(0.5, 0.9), size * rng.uniform(0.22, 0.32), size * 0.035
    colour = between(_WOOD, rng) if rng.random() < 0.6 else cloth_colour(rng)
    left, right = foot[0] - wide / 2, foot[0] + wide / 2

    def plank(x0: float, y0: float, x1: float, y1: float, shade: float) -> tuple[np.ndarray, np.ndarray]:
        corners = np.array(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
        return corners, colour * np.float32(shade)

    seat, back = foot[1] - tall, foot[1] - tall * 2
    faces = [plank(x, seat, x + thick, foot[1], 0.7) for x in (left + thick, right - 2 * thick)]
    for row in range(int(rng.integers(0, 4))):
        line = back + row * thick * 1.9
        faces.append(plank(left, line, right, line + thick * 1.2, 0.85))
    if len(faces) > 2:
        faces += [plank(x, back, x + thick * 0.8, seat, 0.65) for x in (left + thick, right - 2 * thick)]
    faces.append(plank(left, seat - thick, right, seat, 1.1))
    faces.append(plank(left, seat, right, seat + thick, 0.8))
    return _polygons(faces, height, width)


KINDS = (_crate, _ball, _post, _plant, _bench)


def sample_object(
    rng: np.random.Generator, foot: np.ndarray, size: float, light: Light, height: int, width: int
) -> Layer:
    """Draw a thing.

    Args:
        rng: Source of randomness.
        foot: Where it stands, x and y in pixels.
        size: Height in pixels of an adult who stands there.
        light: The light of the scene.
        height, width: Size of the image in pixels.

    Returns:
        The drawn layer; its pixels are of class `object`.
    """
    return KINDS[int(rng.integers(len(KINDS)))](rng, foot, size, light, height, width)
