"""Head, face and hair.

Places are in heights of the head, seen from the chin: x to the person's left, y up, z to the front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kinematics import Camera, Joints
from .look import Look
from .paint import Paint
from .parts import HEAD
from .raster import Cone, Layer

_NARROW = 0.87
_NOSE = (0.0, 0.37, 0.42)
_EYES = ((0.15, 0.52, 0.335), (-0.15, 0.52, 0.335))
_EARS = ((0.335, 0.47, -0.03), (-0.335, 0.47, -0.03))
_MOUTH = (0.0, 0.175, 0.325)


def keypoints(joints: Joints) -> list[np.ndarray]:
    """Nose, left eye, right eye, left ear, right ear: (3,) each, in the body's units."""
    return [joints.in_head(*place) for place in (_NOSE, *_EYES, *_EARS)]


def cones(joints: Joints, look: Look) -> list[Cone]:
    """Skull, ears, nose and hair, in the body's units."""
    unit = joints.build.head
    lateral = joints.head_frame[:, 0]
    skin = Paint(look.skin)
    warm = Paint(np.clip(look.skin * np.array((1.0, 0.94, 0.92), np.float32), 0, 1))
    crown, jaw = joints.in_head(0, 0.61, -0.01), joints.in_head(0, 0.25, 0.09)
    found = [Cone(jaw, crown, 0.245 * unit, 0.375 * unit, skin, HEAD, -lateral, _NARROW, shadow=True)]
    for ear in _EARS:
        centre = joints.in_head(ear[0] * 0.97, ear[1], ear[2])
        top = joints.in_head(ear[0] * 1.02, ear[1] + 0.08, ear[2] - 0.02)
        found.append(Cone(centre, top, 0.062 * unit, 0.075 * unit, warm, HEAD))
    bridge, tip = joints.in_head(0, 0.49, 0.345), joints.in_head(0, _NOSE[1], _NOSE[2] - 0.02)
    found.append(Cone(bridge, tip, 0.035 * unit, 0.062 * unit, warm, HEAD))
    return found + _hair(joints, look) + _hat(joints, look)


def _hair(joints: Joints, look: Look) -> list[Cone]:
    if look.hair_style == "bald":
        return []
    unit = joints.build.head
    lateral = -joints.head_frame[:, 0]
    hair = Paint(look.hair, look.hair * np.float32(0.86), "lines")
    back, top = joints.in_head(0, 0.50, -0.10), joints.in_head(0, 0.66, -0.045)
    found = [Cone(back, top, 0.335 * unit, 0.385 * unit, hair, HEAD, lateral, 0.92)]
    if look.beard:
        chin, lip = joints.in_head(0, 0.20, 0.10), joints.in_head(0, 0.27, 0.11)
        found.append(Cone(chin, lip, 0.23 * unit, 0.235 * unit, Paint(look.hair), HEAD, lateral, 0.9))
    if look.hair_style == "long":
        tip = joints.in_head(0, 0.25 - look.hair_length * 0.75, -0.24)
        found.append(Cone(back, tip, 0.335 * unit, 0.2 * unit, hair, HEAD, lateral, 1.25))
    elif look.hair_style == "tail":
        knot, tip = joints.in_head(0, 0.62, -0.42), joints.in_head(0, 0.3 - look.hair_length * 0.6, -0.55)
        found.append(Cone(knot, tip, 0.12 * unit, 0.06 * unit, hair, HEAD))
    elif look.hair_style == "bun":
        knot = joints.in_head(0, 0.92, -0.32)
        found.append(Cone(knot, knot, 0.17 * unit, 0.17 * unit, hair, HEAD))
    return found


def _hat(joints: Joints, look: Look) -> list[Cone]:
    if look.hat is None:
        return []
    unit = joints.build.head
    lateral = -joints.head_frame[:, 0]
    low, high = joints.in_head(0, 0.68, -0.035), joints.in_head(0, 0.72, -0.04)
    brim, edge = joints.in_head(0, 0.74, 0.22), joints.in_head(0, 0.70, 0.52)
    cloth = Paint(look.hat)
    return [
        Cone(low, high, 0.405 * unit, 0.40 * unit, cloth, HEAD, lateral, 0.93),
        Cone(brim, edge, 0.06 * unit, 0.05 * unit, cloth, HEAD, lateral, 4.5, shadow=True),
    ]


@dataclass(slots=True)
class Mark:
    """A flat mark on the face: an ellipse at `centre` (x, y, depth) in pixels, `axes` (2, 2) its half axes as rows."""

    centre: np.ndarray
    axes: np.ndarray
    colour: np.ndarray
    strength: float


def marks(joints: Joints, look: Look, camera: Camera) -> list[Mark]:
    """Eyes, brows, mouth and glasses, where they face the viewer."""
    dark = np.array((0.09, 0.07, 0.07), np.float32)
    white = np.array((0.96, 0.95, 0.93), np.float32)
    brow = look.hair * np.float32(0.7) if look.hair_style != "bald" else look.skin * np.float32(0.45)
    found: list[tuple[tuple[float, float, float], float, float, np.ndarray, float]] = []
    for x, y, z in _EYES:
        found.append(((x, y, z), 0.088, 0.058, white, 0.95))
        found.append(((x * 0.98, y, z + 0.01), 0.048, 0.056, dark, 1.0))
        found.append(((x * 1.05, y + 0.115, z - 0.01), 0.10, 0.026, brow, 0.9))
        if look.glasses:
            found.append(((x, y, z + 0.02), 0.14, 0.11, dark, 0.55))
    found.append((_MOUTH, 0.115, 0.034, look.lips, 0.9))
    return [mark for spec in found if (mark := _mark(joints, camera, *spec)) is not None]


def _mark(
    joints: Joints, camera: Camera, place: tuple[float, float, float], width: float, height: float,
    colour: np.ndarray, strength: float,
) -> Mark | None:  # fmt: skip
    x, y, z = place
    outward = joints.head_frame @ np.array((x * 1.2, (y - 0.5) * 0.5, z))
    facing = float(outward[2] / np.sqrt(outward @ outward))
    if facing < 0.12:
        return None
    centre = joints.in_head(x, y, z)
    (ux, uy, uz), (ox, oy, oz) = joints.head_frame[:, 1].tolist(), outward.tolist()
    right = np.array((uy * oz - uz * oy, uz * ox - ux * oz, ux * oy - uy * ox))
    right *= width * joints.build.head / max(float(np.sqrt(right @ right)), 1e-6)
    up = joints.head_frame[:, 1] * height * joints.build.head
    places = camera.project(np.stack((centre, centre + right, centre + up)))
    axes = places[1:, :2] - places[0, :2]
    return Mark(places[0], axes, colour, strength * min(facing * 4.0, 1.0))


def draw_mark(layer: Layer, mark: Mark, brightness: float) -> None:
    """Put a mark onto the drawn head, where nothing lies in front of it."""
    height, width = layer.alpha.shape
    reach = np.abs(mark.axes).sum(0) + 1.5
    left, top = np.floor(mark.centre[:2] - reach).astype(int) - (layer.left, layer.top)
    right, bottom = np.ceil(mark.centre[:2] + reach).astype(int) + 1 - (layer.left, layer.top)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    (ax, ay), (bx, by) = mark.axes.tolist()
    area = ax * by - ay * bx
    if right <= left or bottom <= top or abs(area) < 0.02:
        return
    window = slice(top, bottom), slice(left, right)
    across = np.arange(left + layer.left, right + layer.left, dtype=np.float32) - np.float32(mark.centre[0])
    down = (np.arange(top + layer.top, bottom + layer.top, dtype=np.float32) - np.float32(mark.centre[1]))[:, None]
    first = (across * by - down * bx) / np.float32(area)
    second = (down * ax - across * ay) / np.float32(area)
    inside = np.sqrt(first * first + second * second)
    steep = max(float(np.sqrt(abs(area))), 0.7)
    cover = np.clip((1.0 - inside) * np.float32(steep) + 0.5, 0.0, 1.0) * np.float32(mark.strength)
    unit = float(np.sqrt((mark.axes**2).sum(1)).max())
    cover *= np.abs(layer.depth[window] - mark.centre[2]) < 1.2 * unit + 1.5
    target = layer.colour[:, window[0], window[1]]
    target += cover * (mark.colour[:, None, None] * np.float32(brightness) - target)
