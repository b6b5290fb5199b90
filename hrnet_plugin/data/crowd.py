"""Who and what stands where in a scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .background import over
from .body import sample_build
from .figure import Figure, build_figure
from .head import draw_mark
from .kinematics import Camera, Joints, pose_body
from .look import sample_look
from .objects import crate, sample_object
from .pose import Pose, sample_pose
from .raster import Layer, Light, bounds, draw

_COUNTS = np.cumsum((0.30, 0.36, 0.22, 0.12))
_SKIRT_POSES = ("stand", "walk", "arms_up")


@dataclass(slots=True)
class Actor:
    """A drawn person or thing before it is put into the picture; things have no figure."""

    layer: Layer
    foot: np.ndarray
    figure: Figure | None = None
    pose: Pose | None = None


def sample_light(rng: np.random.Generator) -> Light:
    """Light from the front, above, left or right."""
    direction = np.array((rng.uniform(-0.8, 0.8), rng.uniform(-0.9, -0.2), rng.uniform(0.45, 1.0)))
    ambient = rng.uniform(0.38, 0.68)
    return Light(direction / np.linalg.norm(direction), float(ambient), float(1.08 - ambient))


def sample_actors(rng: np.random.Generator, height: int, width: int, horizon: float, light: Light) -> list[Actor]:
    """Draw the people and things of one scene, the furthest first.

    Args:
        rng: Source of randomness.
        height, width: Size of the image in pixels.
        horizon: Where the floor begins, as part of the height.
        light: The light of the scene.

    Returns:
        One to four people and up to five things.
    """
    count = 1 + int(np.searchsorted(_COUNTS, rng.random()))
    pitch = float(rng.normal(6, 7))
    largest = rng.uniform(0.70, 1.10) if count < 3 else rng.uniform(0.62, 0.98)
    sizes = np.sort(np.clip(largest * rng.uniform(0.66, 1.0, count), 0.48, 1.05)) * height
    actors: list[Actor] = []
    for size, centre in zip(sizes, _spread(rng, count, width), strict=True):
        ground = _ground(rng, size / height, horizon) * height
        actors.extend(_person(rng, float(size), np.array((centre, ground)), pitch, light, height, width))
        if rng.random() < 0.28:
            place = np.array((centre + rng.normal(0, 0.22) * size, ground + rng.uniform(-0.02, 0.1) * size))
            layer = sample_object(rng, place, float(size), light, height, width)
            spot = len(actors) - int(rng.random() < 0.4)
            actors.insert(max(spot, 0), Actor(layer, place))
    if rng.random() < 0.14:
        place = np.array((rng.uniform(0, width), rng.uniform(1.0, 1.5) * height))
        actors.append(Actor(sample_object(rng, place, 1.25 * height, light, height, width), place))
    return [actor for actor in actors if actor.layer.alpha.size]


def _spread(rng: np.random.Generator, count: int, width: int) -> np.ndarray:
    """Where people stand across the image: mostly side by side, in every third scene crowded together."""
    if count == 1:
        return rng.uniform(0.25, 0.75, 1) * width
    slots = (np.arange(count) + 0.5) / count + rng.normal(0, 0.28 / count, count)
    if rng.random() < 0.34:
        slots = 0.5 + (slots - 0.5) * rng.uniform(0.4, 0.75) + rng.normal(0, 0.06)
    return rng.permutation(np.clip(slots, 0.06, 0.94)) * width


def _ground(rng: np.random.Generator, size: float, horizon: float) -> float:
    """Height of the feet in the image, 0 top to 1 bottom: nearer people stand lower."""
    ground = horizon + 0.12 + (0.98 - horizon) * (size - 0.35) * 0.95 + rng.normal(0, 0.03)
    return float(np.clip(ground, max(size * 0.92 + 0.03, 0.55), size * 1.02 + 0.22))


def _person(
    rng: np.random.Generator, size: float, foot: np.ndarray, pitch: float, light: Light, height: int, width: int
) -> list[Actor]:
    """A person, after the seat they sit on where they have one."""
    build = sample_build(rng)
    pose = sample_pose(rng, pitch)
    knees_hidden = pose.activity not in _SKIRT_POSES
    look = sample_look(rng, build.feminine, may_wear_skirt=not knees_hidden)
    joints = pose_body(build, pose)
    scale = size * build.height
    lowest = min(float(place[1]) for place in (*joints.heels, *joints.toes, *joints.knees)) - 0.025
    camera = Camera(scale, float(foot[0]), float(foot[1] + (lowest - pose.lift) * scale))
    figure = build_figure(joints, look, camera)
    actor = Actor(_draw(figure, light, height, width), foot, figure, pose)
    actors = [actor]
    if pose.activity == "sit" and rng.random() < 0.75:
        actors.insert(0, _seat(rng, joints, camera, foot, light, height, width))
    return actors


def _seat(
    rng: np.random.Generator, joints: Joints, camera: Camera, foot: np.ndarray, light: Light, height: int, width: int
) -> Actor:
    hips = camera.project(np.stack(joints.hips))
    below = hips[:, 1].max() + 0.05 * camera.scale
    behind = joints.pelvis_frame[:, 2] * -0.04
    middle = hips[:, 0].mean() + behind[0] * camera.scale
    floor = max(float(foot[1]) - 0.04 * camera.scale, below + 0.08 * camera.scale)
    place = np.array((middle, floor))
    wide = float(rng.uniform(0.26, 0.6)) * camera.scale
    return Actor(crate(rng, place, wide, floor - float(below), light, height, width), place)


def _draw(figure: Figure, light: Light, height: int, width: int) -> Layer:
    left, top, right, bottom = bounds(figure.cones)
    layer = Layer.empty(
        max(int(left) - 1, 0), max(int(top) - 1, 0), min(int(right) + 2, width), min(int(bottom) + 2, height)
    )
    if not layer.alpha.size:
        return layer
    # Back to front, so that smooth edges blend into what is behind them.
    for cone in sorted(figure.cones, key=lambda item: float(item.start[2] + item.end[2])):
        draw(layer, cone, light)
    brightness = min(light.ambient + 0.55 * light.diffuse, 1.0)
    for mark in figure.face:
        draw_mark(layer, mark, brightness)
    return layer


def paste(image: np.ndarray, actor: Actor, light: Light, floor: bool) -> None:
    """Put an actor into the image (3, H, W), in place, with the shadow it throws on the floor."""
    if floor:
        _cast_shadow(image, actor, light)
    over(image, actor.layer)


def _cast_shadow(image: np.ndarray, actor: Actor, light: Light) -> None:
    height, width = image.shape[1:]
    layer = actor.layer
    lean = -float(light.direction[0]) * 0.7
    flatten = 0.22
    foot = min(float(actor.foot[1]), layer.top + layer.alpha.shape[0])
    # Row y of the shadow shows the body at foot - (foot - y) / flatten, shifted sideways the further up the body.
    matrix = np.array(
        ((1.0, -lean, layer.left + lean * (foot - layer.top)), (0.0, flatten, foot + flatten * (layer.top - foot))),
        np.float32,
    )
    shadow = cv2.warpAffine(layer.alpha, matrix, (width, height), flags=cv2.INTER_LINEAR)
    top, bottom = max(int(foot - flatten * layer.alpha.shape[0]) - 6, 0), min(int(foot) + 8, height)
    if bottom <= top:
        return
    soft = cv2.GaussianBlur(shadow[top:bottom], (0, 0), max(height / 110, 0.8))
    image[:, top:bottom] *= 1.0 - np.float32(0.42) * soft
