"""Backgrounds: rooms, fields, walls and patterns, with clutter that looks like limbs and clothes."""

from __future__ import annotations

import cv2
import numpy as np

from .look import cloth_colour, rgb, skin_colour
from .noise import clouds, fractal
from .paint import Paint
from .raster import Cone, Layer, Light, bounds, draw

_SHIFT = 3
_UNIT = 1 << _SHIFT


def paint_background(rng: np.random.Generator, height: int, width: int, horizon: float, light: Light) -> np.ndarray:
    """Draw what lies behind all people.

    Args:
        rng: Source of randomness.
        height, width: Size in pixels.
        horizon: Where the floor begins, as part of the height.
        light: The light of the scene.

    Returns:
        (3, height, width) float32 RGB from 0 to 1.
    """
    canvas = np.empty((height, width, 3), np.uint8)
    line = int(np.clip(horizon, 0.15, 0.95) * height)
    kind = rng.random()
    if kind < 0.42:
        _room(canvas, rng, line)
    elif kind < 0.78:
        _outdoors(canvas, rng, line)
    else:
        _abstract(canvas, rng)
    for _ in range(int(rng.integers(1, 6))):
        _CLUTTER[int(rng.integers(len(_CLUTTER)))](canvas, rng)
    if rng.random() < 0.45:
        cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.4, 1.8)) * height / 192, dst=canvas)
    image = canvas.transpose(2, 0, 1).astype(np.float32, order="C") * np.float32(1 / 255)
    for _ in range(int(rng.integers(0, 4))):
        _limb(image, rng, light)
    return image


def _bytes(colour: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = colour.tolist()
    return _byte(red), _byte(green), _byte(blue)


def _byte(value: float) -> int:
    return int(min(max(value, 0.0), 1.0) * 255)


def _muted(rng: np.random.Generator, low: float = 0.2, high: float = 0.9) -> np.ndarray:
    return rgb(rng.random(), rng.beta(1.2, 3.0), rng.uniform(low, high))


def _fill(canvas: np.ndarray, points: np.ndarray, colour: np.ndarray) -> None:
    cv2.fillPoly(canvas, [np.round(points * _UNIT).astype(np.int32)], _bytes(colour), cv2.LINE_AA, _SHIFT)


def _gradient(area: np.ndarray, rng: np.random.Generator, first: np.ndarray, second: np.ndarray, rough: float) -> None:
    height, width = area.shape[:2]
    if not height:
        return
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    ramp = ramp + fractal(rng, height, width, rng.uniform(2, 9)) * np.float32(rough)
    np.minimum(np.maximum(ramp, -0.15, out=ramp), 1.15, out=ramp)
    for channel, (start, change) in enumerate(zip(first.tolist(), (second - first).tolist(), strict=True)):
        plane = ramp * (change * 255) + start * 255
        area[..., channel] = np.minimum(np.maximum(plane, 0, out=plane), 255, out=plane)


def _room(canvas: np.ndarray, rng: np.random.Generator, line: int) -> None:
    height, width = canvas.shape[:2]
    wall, floor = _muted(rng, 0.35), _muted(rng)
    _gradient(canvas[:line], rng, wall, wall * np.float32(rng.uniform(0.75, 1.1)), rng.uniform(0, 0.4))
    _gradient(canvas[line:], rng, floor * np.float32(0.8), floor, rng.uniform(0, 0.5))
    dark = wall * np.float32(rng.uniform(0.6, 0.95))
    pattern = rng.random()
    step = rng.uniform(0.03, 0.16) * width
    if pattern < 0.25:
        for left in np.arange(rng.uniform(-step, 0), width, step):
            _fill(
                canvas[:line], np.array(((left, 0), (left + step / 2, 0), (left + step / 2, line), (left, line))), dark
            )
    elif pattern < 0.45:
        _bricks(canvas[:line], rng, step, dark)
    if rng.random() < 0.5:
        vanish = rng.uniform(0.2, 0.8) * width
        for foot in np.arange(-width, 2 * width, rng.uniform(0.12, 0.4) * width):
            near, far = (foot, height), (vanish + (foot - vanish) * 0.45, line)
            points = np.round(np.array((near, far)) * _UNIT).astype(int).tolist()
            cv2.line(canvas, points[0], points[1], _bytes(floor * 0.7), 1, cv2.LINE_AA, _SHIFT)
    if rng.random() < 0.6:
        cv2.rectangle(canvas, (0, line - max(height // 60, 1)), (width, line), _bytes(wall * 1.15), -1)
    for _ in range(int(rng.integers(0, 4))):
        _panel(canvas, rng, line)


def _bricks(area: np.ndarray, rng: np.random.Generator, step: float, colour: np.ndarray) -> None:
    height, width = area.shape[:2]
    tall = max(step * rng.uniform(0.35, 1.0), 4.0)
    ink = _bytes(colour)
    for row, top in enumerate(np.arange(0, height, tall)):
        cv2.line(area, (0, int(top)), (width, int(top)), ink, 1)
        for left in np.arange((row % 2) * step / 2, width, max(step, 5.0)):
            cv2.line(area, (int(left), int(top)), (int(left), int(top + tall)), ink, 1)


def _panel(canvas: np.ndarray, rng: np.random.Generator, line: int) -> None:
    """A picture, window, door or shelf on the wall."""
    height, width = canvas.shape[:2]
    wide, tall = rng.uniform(0.08, 0.32) * width, rng.uniform(0.12, 0.5) * height
    left, top = rng.uniform(-0.05, 0.95) * width, rng.uniform(0.0, 0.5) * height
    if rng.random() < 0.4:
        top = line - tall
    box = np.array(((left, top), (left + wide, top), (left + wide, top + tall), (left, top + tall)))
    frame = _muted(rng, 0.1, 0.95)
    _fill(canvas, box, frame)
    inset = np.array(((1, 1), (-1, 1), (-1, -1), (1, -1))) * max(height / 70, 1.5)
    _fill(canvas, box + inset, _muted(rng, 0.2, 1.0))
    for share in np.linspace(0, 1, int(rng.integers(2, 6)))[1:-1]:
        end = (left, top + tall * share), (left + wide, top + tall * share)
        points = np.round(np.array(end) * _UNIT).astype(int).tolist()
        cv2.line(canvas, points[0], points[1], _bytes(frame), max(height // 110, 1), cv2.LINE_AA, _SHIFT)


def _outdoors(canvas: np.ndarray, rng: np.random.Generator, line: int) -> None:
    height, width = canvas.shape[:2]
    sky = rgb(rng.normal(0.57, 0.04), rng.uniform(0.05, 0.55), rng.uniform(0.6, 1.0))
    pale = rgb(rng.normal(0.55, 0.12), rng.uniform(0.0, 0.25), rng.uniform(0.75, 1.0))
    ground = rgb(*[(rng.normal(0.27, 0.05), 0.45, 0.5), (0.1, 0.25, 0.75), (0.6, 0.05, 0.5)][int(rng.integers(3))])
    _gradient(canvas[:line], rng, sky, pale, rng.uniform(0, 0.35))
    _gradient(canvas[line:], rng, ground * np.float32(rng.uniform(0.7, 1.0)), ground, rng.uniform(0.1, 0.9))
    if rng.random() < 0.55:
        across = np.linspace(0, width, 24)
        ridge = line - height * (0.06 + 0.14 * np.abs(np.cumsum(rng.normal(0, 0.35, 24))) * rng.uniform(0.2, 1))
        hill = np.concatenate((np.stack((across, ridge), 1), ((width, line), (0, line))))
        _fill(canvas, hill, rgb(rng.normal(0.33, 0.08), rng.uniform(0.1, 0.5), rng.uniform(0.25, 0.65)))
    for _ in range(int(rng.integers(0, 5))):
        _houses(canvas, rng, line)
    for _ in range(int(rng.integers(0, 4))):
        _foliage(canvas, rng)


def _houses(canvas: np.ndarray, rng: np.random.Generator, line: int) -> None:
    height, width = canvas.shape[:2]
    wide, tall = rng.uniform(0.08, 0.3) * width, rng.uniform(0.1, 0.5) * height
    left, top = rng.uniform(-0.1, 1.0) * width, line - tall
    wall = _muted(rng, 0.3)
    box = np.array(((left, top), (left + wide, top), (left + wide, line), (left, line)))
    _fill(canvas, box, wall)
    step = max(wide / rng.integers(3, 7), 4.0)
    window = wall * np.float32(rng.uniform(0.4, 0.8)) if rng.random() < 0.7 else wall * np.float32(1.3)
    for row in np.arange(top + step * 0.4, line - step * 0.5, step):
        for column in np.arange(left + step * 0.3, left + wide - step * 0.5, step):
            corner = int(column), int(row)
            cv2.rectangle(canvas, corner, (int(column + step * 0.45), int(row + step * 0.5)), _bytes(window), -1)


def _abstract(canvas: np.ndarray, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    _gradient(canvas, rng, _muted(rng), _muted(rng), rng.uniform(0.1, 0.9))
    if rng.random() < 0.5:
        shift = clouds(rng, height, width, rng.uniform(3, 20), 3) * np.float32(rng.uniform(8, 40))
        canvas[:] = np.clip(canvas + shift, 0, 255)


def _foliage(canvas: np.ndarray, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    centre = rng.uniform((-0.05, 0.0), (1.05, 1.0)) * (width, height)
    spread = rng.uniform(0.05, 0.2) * height
    base = rgb(rng.normal(0.3, 0.07), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.75))
    count = int(rng.integers(12, 45))
    places = np.round((centre + rng.normal(0, spread, (count, 2))) * _UNIT).astype(int).tolist()
    axes = (rng.uniform((0.012, 0.006), (0.035, 0.02), (count, 2)) * height * _UNIT + 1).astype(int).tolist()
    turns, shades = rng.uniform(0, 180, count).tolist(), rng.uniform(0.55, 1.25, count).astype(np.float32)
    for place, size, turn, shade in zip(places, axes, turns, shades, strict=True):
        cv2.ellipse(canvas, place, size, turn, 0, 360, _bytes(base * shade), -1, cv2.LINE_AA, _SHIFT)


def _stripes(canvas: np.ndarray, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    corner = rng.uniform(0, 1, 2) * (width, height)
    angle, step = rng.uniform(0, np.pi), rng.uniform(0.015, 0.06) * width
    along = np.array((np.cos(angle), np.sin(angle)))
    across = np.array((-along[1], along[0]))
    length, colours = rng.uniform(0.1, 0.5) * height, (cloth_colour(rng), cloth_colour(rng))
    for index in range(int(rng.integers(3, 10))):
        start = corner + across * step * index
        side, end = across * step, along * length
        _fill(canvas, np.stack((start, start + end, start + end + side, start + side)), colours[index % 2])


def _patch(canvas: np.ndarray, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    centre = rng.uniform(0, 1, 2) * (width, height)
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
    radii = rng.uniform(0.03, 0.16, len(angles)) * height
    _fill(canvas, centre + np.stack((np.cos(angles), np.sin(angles)), 1) * radii[:, None], cloth_colour(rng))


def _blob(canvas: np.ndarray, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    place = np.round(rng.uniform(0, 1, 2) * (width, height) * _UNIT).astype(int).tolist()
    axes = np.round(rng.uniform(0.02, 0.14, 2) * height * _UNIT).astype(int).tolist()
    ink = _bytes(skin_colour(rng) if rng.random() < 0.35 else cloth_colour(rng))
    cv2.ellipse(canvas, place, axes, float(rng.uniform(0, 180)), 0, 360, ink, -1, cv2.LINE_AA, _SHIFT)


def _wire(canvas: np.ndarray, rng: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    points = np.cumsum(rng.normal(0, 0.16, (5, 2)), 0) * height + rng.uniform(0, 1, 2) * (width, height)
    chain = [np.round(points * _UNIT).astype(np.int32)]
    thick = int(rng.integers(1, max(height // 40, 3)))
    cv2.polylines(canvas, chain, False, _bytes(_muted(rng, 0.05, 0.95)), thick, cv2.LINE_AA, _SHIFT)


_CLUTTER = (_foliage, _stripes, _patch, _patch, _blob, _blob, _wire)


def _limb(image: np.ndarray, rng: np.random.Generator, light: Light) -> None:
    """Something shaped and coloured like a limb, an arm or a leg, that belongs to nobody."""
    height, width = image.shape[1:]
    place = rng.uniform(0, 1, 2) * (width, height)
    radius, angle = rng.uniform(0.012, 0.04) * height, rng.uniform(0, 2 * np.pi)
    skin, cloth = skin_colour(rng), cloth_colour(rng)
    cones = []
    for _ in range(int(rng.integers(1, 4))):
        angle += rng.normal(0, 0.8)
        end = place + np.array((np.cos(angle), np.sin(angle))) * rng.uniform(0.07, 0.2) * height
        thinner = radius * rng.uniform(0.65, 1.0)
        paint = Paint(cloth if rng.random() < 0.6 else skin, cut=float(rng.uniform(0.3, 1.3)), beyond=skin)
        cones.append(Cone(np.append(place, 0.0), np.append(end, 0.0), float(radius), float(thinner), paint, 0))
        place, radius = end, thinner
    left, top, right, bottom = (int(edge) for edge in bounds(cones))
    layer = Layer.empty(max(left, 0), max(top, 0), min(right + 1, width), min(bottom + 1, height))
    if not layer.alpha.size:
        return
    for cone in cones:
        draw(layer, cone, light)
    over(image, layer)


def over(image: np.ndarray, layer: Layer) -> None:
    """Lay a layer over the image (3, H, W), in place."""
    area = image[:, layer.window[0], layer.window[1]]
    area *= 1.0 - layer.alpha
    area += layer.colour
