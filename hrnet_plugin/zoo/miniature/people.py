"""Keypoints of any data set of people, placed on the generated people, who have COCO's seventeen."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from hrnet_plugin.data import Scene, render_scene
from hrnet_plugin.data.scene import Person
from hrnet_plugin.data.skeleton import INDEX, NAMES

from .pictures import SIZE

#: Places between COCO's keypoints: by a part of the name, the keypoints whose mean it is, and how far round it the
#: points of that name are spread, as a share of the person's height. The first that fits counts.
_PLACES: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("face-", ("nose",), 0.06),
    ("left_hand", ("left_wrist",), 0.05),
    ("right_hand", ("right_wrist",), 0.05),
    ("left_big_toe", ("left_ankle",), 0.03),
    ("left_small_toe", ("left_ankle",), 0.03),
    ("left_heel", ("left_ankle",), 0.02),
    ("right_big_toe", ("right_ankle",), 0.03),
    ("right_small_toe", ("right_ankle",), 0.03),
    ("right_heel", ("right_ankle",), 0.02),
    ("top", ("left_eye", "right_eye"), 0.03),
    ("neck", ("left_shoulder", "right_shoulder"), 0.0),
    ("head_bottom", ("left_shoulder", "right_shoulder"), 0.0),
    ("thorax", ("left_shoulder", "right_shoulder"), 0.0),
    ("pelvis", ("left_hip", "right_hip"), 0.0),
    ("head", ("nose",), 0.0),
)
_BODY = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def shows_people(names: Sequence[str]) -> bool:
    """Whether keypoints of these names belong to people: most of COCO's body is among them."""
    return len(set(names) & set(NAMES)) >= 10


@functools.lru_cache(maxsize=32)
def scene(index: int) -> Scene:
    """A picture of people; the same one at each call."""
    return render_scene(0, "train", index, SIZE)


def place_keypoints(person: Person, names: Sequence[str]) -> np.ndarray:
    """The keypoints of a person by name, (K, 3) float64: x, y, visibility as COCO counts it, all within the picture."""
    placed = np.stack([_placed(person, name, number) for number, name in enumerate(names)])
    placed[:, :2] = np.clip(placed[:, :2], 0, np.array(SIZE) - 1.0)
    placed[placed[:, 2] == 0] = 0
    return placed


def around(keypoints: np.ndarray, margin: float = 2.0) -> list[float]:
    """x, y, width and height of the box round the labelled ones of (K, 3) keypoints, within the picture."""
    seen = keypoints[keypoints[:, 2] > 0, :2]
    if not len(seen):
        return [0.0, 0.0, 0.0, 0.0]
    low = np.clip(seen.min(axis=0) - margin, 0, None)
    high = np.clip(seen.max(axis=0) + margin, None, np.array(SIZE) - 1.0)
    return [float(value) for value in (*low, *(high - low))]


def scatter(count: int, centre: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """`count` points spread evenly over an ellipse, (count, 2): x, y."""
    numbers = np.arange(count)
    radius = np.sqrt((numbers + 0.5) / count)[:, None]
    angle = numbers * _GOLDEN_ANGLE
    return centre + radius * reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _placed(person: Person, name: str, number: int) -> np.ndarray:
    if name in INDEX:
        return person.keypoints[INDEX[name]].copy()
    anchors, spread = next(((found, far) for part, found, far in _PLACES if part in name), (_BODY, 0.2))
    nearby = person.keypoints[[INDEX[anchor] for anchor in anchors]]
    if not nearby[:, 2].all():
        return np.zeros(3)
    angle = number * _GOLDEN_ANGLE
    away = spread * person.bbox[3] * np.array([np.cos(angle), np.sin(angle)])
    return np.append(nearby[:, :2].mean(axis=0) + away, nearby[:, 2].min())
