"""One generated picture with everything that is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import ConfigError
from .background import paint_background
from .crowd import Actor, paste, sample_actors, sample_light
from .parts import HEAD, IGNORE, LEGS
from .raster import Layer
from .sensor import expose

SPLITS = ("train", "val", "test")
OUTSIDE, OCCLUDED, VISIBLE = 0, 1, 2
_MIN_SEEN = 0.34
_MIN_VISIBLE_KEYPOINTS = 5


@dataclass(slots=True)
class Person:
    """One labelled person.

    Args:
        keypoints: (17, 3) float64: x, y in pixels (the centre of the first pixel is 0, 0) and visibility: 2 seen,
            1 covered by someone, something or the person's own body, 0 outside the image (x and y are 0 then).
        bbox: x, y, width, height in pixels of the seen and covered body, clipped to the image.
        area: Pixels of the image that show the person.
        mask: (H, W) bool: those pixels.
        activity: Name of the kind of pose.
    """

    keypoints: np.ndarray
    bbox: tuple[float, float, float, float]
    area: int
    mask: np.ndarray
    activity: str


@dataclass(slots=True)
class Scene:
    """A picture and its labels.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 class indices, see `parts.CLASS_NAMES`; 255 is to be ignored.
        persons: The people, the furthest first.
    """

    image: np.ndarray
    mask: np.ndarray
    persons: list[Person]


def render_scene(seed: int, split: str, index: int, size: tuple[int, int] = (256, 192)) -> Scene:
    """Draw scene `index` of a split.

    The same arguments give the same pixels and labels; different ones share nothing.

    Args:
        seed: Seed of the data set, 0 or more.
        split: `train`, `val` or `test`.
        index: Number of the scene in its split, 0 or more.
        size: Width and height in pixels, 64 or more each.

    Raises:
        ConfigError: for an unknown split, a negative number or a size below 64 x 64.
    """
    if split not in SPLITS:
        raise ConfigError("split", found=repr(split), expected=" or ".join(SPLITS))
    if seed < 0 or index < 0:
        raise ConfigError("seed and index", found=f"{seed}, {index}", expected="0 or more")
    width, height = size
    if width < 64 or height < 64:
        raise ConfigError("size", found=f"{width}x{height}", expected="at least 64x64 pixels")
    rng = np.random.default_rng((seed, SPLITS.index(split), index))
    light = sample_light(rng)
    horizon = float(rng.uniform(0.3, 0.75))
    image = paint_background(rng, height, width, horizon, light)
    actors = _without_hidden(sample_actors(rng, height, width, horizon, light), height, width)
    floor = rng.random() < 0.8
    for actor in actors:
        paste(image, actor, light, floor)
    owner, parts = _ownership(actors, height, width)
    persons = [_label(actor, owner, number)
               for number, actor in enumerate(actors, 1) if actor.figure is not None]  # fmt: skip
    return Scene(expose(rng, image), _semantic_mask(owner, parts, actors), persons)


def _ownership(actors: list[Actor], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Which actor (1, 2, ...; 0 none) and which part every pixel shows: two (H, W) uint8 arrays."""
    owner, parts = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for number, actor in enumerate(actors, 1):
        solid = actor.layer.alpha > 0.5
        owner[actor.layer.window][solid] = number
        # A pixel covered by half of one part and half of the next is of no single class.
        part = np.where(actor.layer.part > 0, actor.layer.part, np.uint8(IGNORE))
        np.copyto(parts[actor.layer.window], part, where=solid)
    return owner, parts


def _seen_keypoints(actor: Actor, owner: np.ndarray, number: int) -> int:
    height, width = owner.shape
    places = np.round(actor.figure.keypoints[:, :2]).astype(int)
    inside = ((places >= 0) & (places < (width, height))).all(1)
    return int((owner[places[inside, 1], places[inside, 0]] == number).sum())


def _without_hidden(actors: list[Actor], height: int, width: int) -> list[Actor]:
    """Leave out, one after the other, what hides a person almost wholly: things first, then the hidden person.

    A person of whom next to nothing shows has no honest label.
    """
    kept = list(actors)
    while True:
        owner, _ = _ownership(kept, height, width)
        hidden = next((number for number, actor in enumerate(kept, 1) if _is_hidden(actor, owner, number)), None)
        if hidden is None:
            return kept
        actor = kept[hidden - 1]
        solid = actor.layer.alpha > 0.5
        above = np.bincount(owner[actor.layer.window][solid], minlength=len(kept) + 1)
        things = [
            number for number in range(hidden + 1, len(kept) + 1) if kept[number - 1].figure is None and above[number]
        ]
        people = sum(other.figure is not None for other in kept)
        if not things and people == 1:
            return kept
        kept.pop((max(things, key=lambda number: above[number]) if things else hidden) - 1)


def _is_hidden(actor: Actor, owner: np.ndarray, number: int) -> bool:
    if actor.figure is None:
        return False
    solid = actor.layer.alpha > 0.5
    whole = int(solid.sum())
    seen = int((owner[actor.layer.window][solid] == number).sum())
    return seen < _MIN_SEEN * whole or _seen_keypoints(actor, owner, number) < _MIN_VISIBLE_KEYPOINTS


def _label(actor: Actor, owner: np.ndarray, number: int) -> Person:
    height, width = owner.shape
    figure, layer = actor.figure, actor.layer
    keypoints = np.zeros((17, 3))
    for row, (x, y, depth) in enumerate(figure.keypoints):
        if 0 <= x <= width - 1 and 0 <= y <= height - 1:
            behind = depth + figure.thickness[row] * 1.2 + 1.0
            shown = _shows(layer, owner, number, round(float(x)), round(float(y)), behind)
            keypoints[row] = x, y, VISIBLE if shown else OCCLUDED
    lines, columns = np.nonzero(layer.alpha > 0.5)
    left, top = float(columns.min() + layer.left), float(lines.min() + layer.top)
    right, bottom = float(columns.max() + layer.left + 1), float(lines.max() + layer.top + 1)
    mask = owner == number
    return Person(keypoints, (left, top, right - left, bottom - top), int(mask.sum()), mask, actor.pose.activity)


def _shows(layer: Layer, owner: np.ndarray, number: int, column: int, line: int, behind: float) -> bool:
    """Whether actor `number` shows at a pixel, with no part of it further in front than the depth `behind`."""
    if owner[line, column] > number:
        return False
    reach = 0 if owner[line, column] == number else 1
    # On an outline the pixel itself may already show what lies behind: the next one decides then.
    lines = slice(max(line - reach, layer.top), line + reach + 1)
    columns = slice(max(column - reach, layer.left), column + reach + 1)
    own = owner[lines, columns] == number
    depth = layer.depth[
        lines.start - layer.top : lines.stop - layer.top, columns.start - layer.left : columns.stop - layer.left
    ]
    return bool((depth[own] <= behind).any())


def _semantic_mask(owner: np.ndarray, parts: np.ndarray, actors: list[Actor]) -> np.ndarray:
    """Class indices, with 255 on the outlines of people and on specks too small to be seen."""
    mask = parts.copy()
    height, width = mask.shape
    speck = max(height * width // 4000, 4)
    for part in range(HEAD, LEGS + 1):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((parts == part).astype(np.uint8), connectivity=8)
        for blob in range(1, count):
            if stats[blob, cv2.CC_STAT_AREA] < speck:
                mask[labels == blob] = IGNORE
    people = np.zeros(len(actors) + 1, bool)
    people[1:] = [actor.figure is not None for actor in actors]
    reach = 2 * max(round(height / 400), 0) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (max(reach, 3), max(reach, 3)))
    low, high = cv2.erode(owner, kernel), cv2.dilate(owner, kernel)
    mask[(low != high) & (people[low] | people[high])] = IGNORE
    return mask
