"""Rounded cones drawn with shading, depth and smooth edges into one layer of a picture.

A body is built of rounded cones: a sphere that slides from one point to another while its radius changes.
Seen along z, each has a closed form for outline, depth and normal, so nothing is supersampled. Cones that are
wider than deep (chest, head) are round ones in a space squeezed along one axis.

Coordinates are pixels: x to the right, y down, z towards the viewer; the centre of a pixel has whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .paint import Paint, albedo

FAR = -1e6
_EPS = 1e-6
# How far a contact shadow reaches, in radii.
_SHADOW = 0.5
_UNIT = np.eye(3)


@dataclass(slots=True)
class Cone:
    """A rounded cone.

    Args:
        start, end: Centres of the two spheres, (3,).
        start_radius, end_radius: Their radii, in the direction that is not squeezed.
        paint: Colour and pattern.
        part: The semantic class of its pixels.
        axis, stretch: The cone is `stretch` times as thick along the unit vector `axis` (3,).
        flat: Cut off straight at its end instead of rounded (hems).
        shadow: Throws a contact shadow on the body behind it.
    """

    start: np.ndarray
    end: np.ndarray
    start_radius: float
    end_radius: float
    paint: Paint
    part: int
    axis: np.ndarray | None = None
    stretch: float = 1.0
    flat: bool = False
    shadow: bool = False


@dataclass(slots=True)
class Light:
    """Where light comes from, (3,) unit vector towards it, and how strong it is beside the ambient light."""

    direction: np.ndarray
    ambient: float = 0.55
    diffuse: float = 0.55
    colour: np.ndarray = field(default_factory=lambda: np.ones(3, np.float32))


@dataclass(slots=True)
class Layer:
    """One thing of a scene, in a window of the image whose upper left pixel is (`left`, `top`).

    `colour` (3, h, w: planes, which are far quicker to blend) is premultiplied by `alpha` (h, w), the coverage
    from 0 to 1; with `depth` (h, w) they are float32. `part` (h, w) is uint8.
    """

    left: int
    top: int
    colour: np.ndarray
    alpha: np.ndarray
    depth: np.ndarray
    part: np.ndarray

    @classmethod
    def empty(cls, left: int, top: int, right: int, bottom: int) -> Layer:
        """A clear layer of the pixels left <= x < right, top <= y < bottom."""
        shape = (max(bottom - top, 0), max(right - left, 0))
        return cls(
            left,
            top,
            np.zeros((3, *shape), np.float32),
            np.zeros(shape, np.float32),
            np.full(shape, FAR, np.float32),
            np.zeros(shape, np.uint8),
        )

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns in the image."""
        height, width = self.alpha.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(slots=True)
class _Squeezed:
    """A cone in its own space, where it is round.

    Pixel (x, y) goes to `matrix` (2 rows) applied to it, minus `origin`; there the axis runs from (0, 0) to `along`. A
    depth z' there is z = (z' - slope . (x, y)) / gain in the picture.
    """

    matrix: tuple[float, float, float, float]
    origin: tuple[float, float]
    along: tuple[float, float]
    depths: tuple[float, float]
    slope: tuple[float, float]
    gain: float
    light: tuple[float, float, float]


def _squeeze(cone: Cone, light: np.ndarray) -> _Squeezed:
    if cone.axis is None or cone.stretch == 1.0:
        (x0, y0, z0), (x1, y1, z1) = cone.start.tolist(), cone.end.tolist()
        return _Squeezed(
            (1.0, 0.0, 0.0, 1.0), (x0, y0), (x1 - x0, y1 - y0), (z0, z1 - z0), (0.0, 0.0), 1.0, tuple(light.tolist())
        )
    squeeze = _UNIT + (1.0 / cone.stretch - 1.0) * cone.axis[:, None] * cone.axis
    # The line of sight in the squeezed space, and two directions across it that stay close to x and y.
    view = squeeze[:, 2]
    gain = math.sqrt(view @ view)
    vx, vy, vz = (view / gain).tolist()
    keep = 1.0 / max(math.sqrt(vy * vy + vz * vz), _EPS)
    basis = np.array(
        (((vy * vy + vz * vz) * keep, -vx * vy * keep, -vx * vz * keep), (0.0, vz * keep, -vy * keep), (vx, vy, vz))
    )
    full = basis @ squeeze
    (x0, y0, z0), (x1, y1, z1) = (full @ cone.start).tolist(), (full @ cone.end).tolist()
    (m00, m01, _), (m10, m11, _), (s0, s1, _) = full.tolist()
    lit = tuple((full @ light).tolist())
    return _Squeezed((m00, m01, m10, m11), (x0, y0), (x1 - x0, y1 - y0), (z0, z1 - z0), (s0, s1), gain, lit)


def _reach(cone: Cone, margin: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the pixels that the cone may touch."""
    wide = max(cone.stretch, 1.0)
    (x0, y0, _), (x1, y1, _) = cone.start.tolist(), cone.end.tolist()
    first, last = cone.start_radius * wide + margin, cone.end_radius * wide + margin
    return (
        min(x0 - first, x1 - last),
        min(y0 - first, y1 - last),
        max(x0 + first, x1 + last),
        max(y0 + first, y1 + last),
    )


def bounds(cones: list[Cone]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the pixels that any of the cones may touch."""
    left, top, right, bottom = zip(*(_reach(cone, 2.0) for cone in cones), strict=True)
    return min(left), min(top), max(right), max(bottom)


def draw(layer: Layer, cone: Cone, light: Light, shadow: float = 0.35) -> None:
    """Draw a cone into the layer, in front of what lies further back there.

    Args:
        layer: Changed in place.
        cone: In pixels of the image.
        light: The light of the scene.
        shadow: How dark the soft contact shadow is that the cone throws on what lies close behind it.
    """
    height, width = layer.alpha.shape
    thick = max(cone.start_radius, cone.end_radius)
    shadow = shadow if cone.shadow else 0.0
    left, top, right, bottom = _reach(cone, 1.5 + (_SHADOW * thick if shadow else 0.0))
    left, top = max(int(left) - layer.left, 0), max(int(top) - layer.top, 0)
    right, bottom = min(int(right) + 2 - layer.left, width), min(int(bottom) + 2 - layer.top, height)
    if right <= left or bottom <= top:
        return
    area = slice(top, bottom), slice(left, right)
    across = np.arange(left + layer.left, right + layer.left, dtype=np.float32)
    down = np.arange(top + layer.top, bottom + layer.top, dtype=np.float32)[:, None]
    surface = _surface(cone, light, across, down)
    _blend(layer, area, cone, surface, shadow, thick)


@dataclass(slots=True)
class _Surface:
    distance: np.ndarray
    depth: np.ndarray
    axis_depth: np.ndarray
    shaded: np.ndarray


def _surface(cone: Cone, light: Light, across: np.ndarray, down: np.ndarray) -> _Surface:
    space = _squeeze(cone, light.direction)
    m00, m01, m10, m11 = space.matrix
    along_x, along_y = space.along
    length2 = along_x * along_x + along_y * along_y + _EPS
    length = math.sqrt(length2)
    offset_x, offset_y = across - space.origin[0], down - space.origin[1]
    if cone.stretch != 1.0:
        offset_x, offset_y = (
            across * m00 + (down * m01 - space.origin[0]),
            down * m11 + (across * m10 - space.origin[1]),
        )
    raw = offset_x * (along_x / length2) + offset_y * (along_y / length2)
    part_way = np.minimum(np.maximum(raw, 0.0), 1.0)
    offset_x = offset_x - part_way * along_x
    offset_y = offset_y - part_way * along_y
    radius = part_way * (cone.end_radius - cone.start_radius) + cone.start_radius
    away2 = offset_x * offset_x + offset_y * offset_y
    away = np.sqrt(away2)
    distance = away - radius
    if cone.stretch != 1.0:
        steep_x, steep_y = m00 * offset_x + m10 * offset_y, m01 * offset_x + m11 * offset_y
        distance *= away / np.sqrt(steep_x * steep_x + steep_y * steep_y + _EPS)
    if cone.flat:
        distance = np.maximum(distance, (raw - 1.0) * length)
    away2 = radius * radius - away2
    bulge = np.sqrt(np.maximum(away2, 0.0, out=away2))
    axis_depth = part_way * (space.depths[1] / space.gain) + space.depths[0] / space.gain
    if cone.stretch != 1.0:
        axis_depth -= across * (space.slope[0] / space.gain) + down * (space.slope[1] / space.gain)
    depth = axis_depth + bulge * (1.0 / space.gain)
    colour = _shaded(cone, light, space, part_way, offset_x, offset_y, bulge, 1.0 / radius)
    return _Surface(distance, depth, axis_depth, colour)


def _shaded(
    cone: Cone, light: Light, space: _Squeezed, part_way: np.ndarray, offset_x: np.ndarray, offset_y: np.ndarray,
    bulge: np.ndarray, over_radius: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The colour of a cone's pixels as the light shows it; the offsets lead from its axis to the pixel."""
    light_x, light_y, light_z = space.light
    lit = (offset_x * light_x + offset_y * light_y + bulge * light_z) * over_radius
    rim = np.minimum(bulge * over_radius * 2.2 + 0.62, 1.0)
    shade = (np.maximum(lit, -0.25) * light.diffuse + light.ambient) * rim
    along_x, along_y = space.along
    length = math.sqrt(along_x * along_x + along_y * along_y + _EPS)
    sideways = None
    if cone.paint.pattern != "plain":
        sideways = (offset_y * (along_x / length) - offset_x * (along_y / length)) * over_radius
    return albedo(cone.paint, part_way, sideways, length) * shade


def _blend(layer: Layer, area: tuple[slice, slice], cone: Cone, surface: _Surface, shadow: float, thick: float) -> None:
    behind = layer.depth[area]
    target = layer.colour[:, area[0], area[1]]
    if shadow:
        near = np.maximum(1.0 - np.maximum(surface.distance, 0.0) * np.float32(1.0 / (_SHADOW * thick)), 0.0)
        above = (surface.axis_depth - behind) * np.float32(1.6 / thick)
        near *= near * np.minimum(np.maximum(above, 0.0), 1.0) * (behind > FAR)
        target *= 1.0 - near * shadow
    cover = np.minimum(np.maximum(0.5 - surface.distance, 0.0), 1.0)
    ahead = surface.depth - behind
    ahead += 0.5
    cover *= np.minimum(np.maximum(ahead, 0.0, out=ahead), 1.0, out=ahead)
    target += cover * (surface.shaded - target)
    alpha = layer.alpha[area]
    alpha += cover * (1.0 - alpha)
    solid = cover > 0.5
    np.copyto(behind, surface.depth, where=solid)
    np.copyto(layer.part[area], np.uint8(cone.part), where=solid)
