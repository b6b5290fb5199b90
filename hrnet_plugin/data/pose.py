"""The pose of a person: joint angles, drawn from activities that people are photographed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

LEFT, RIGHT = 0, 1
_PAIRED = ("shoulder_flex", "shoulder_abduct", "shoulder_twist", "elbow", "wrist",
           "hip_flex", "hip_abduct", "hip_twist", "knee", "ankle")  # fmt: skip
_MIRRORED = ("spine_side", "spine_twist", "neck_turn", "neck_tilt", "yaw", "roll")


def _pair() -> np.ndarray:
    return np.zeros(2)


@dataclass(slots=True)
class Pose:
    """Joint angles in degrees; pairs are (left, right). All zero: standing upright, facing the camera, arms down.

    `yaw` turns the person about the vertical (90: facing the right of the picture, 180: seen from the back), `pitch`
    is the camera looking from above, `roll` turns the person within the picture, `lean` tips the whole body forward,
    `lift` is how far it is off the ground in body heights. Flexion lifts a limb forward, abduction sideways away from
    the body, twist turns it inwards about its own length.
    """

    activity: str = "stand"
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    lean: float = 0.0
    lift: float = 0.0
    spine_flex: float = 0.0
    spine_side: float = 0.0
    spine_twist: float = 0.0
    neck_flex: float = 0.0
    neck_turn: float = 0.0
    neck_tilt: float = 0.0
    shoulder_flex: np.ndarray = field(default_factory=_pair)
    shoulder_abduct: np.ndarray = field(default_factory=_pair)
    shoulder_twist: np.ndarray = field(default_factory=_pair)
    elbow: np.ndarray = field(default_factory=_pair)
    wrist: np.ndarray = field(default_factory=_pair)
    hip_flex: np.ndarray = field(default_factory=_pair)
    hip_abduct: np.ndarray = field(default_factory=_pair)
    hip_twist: np.ndarray = field(default_factory=_pair)
    knee: np.ndarray = field(default_factory=_pair)
    ankle: np.ndarray = field(default_factory=_pair)

    def mirrored(self) -> Pose:
        """The same pose seen in a mirror: left and right change places."""
        changes = {name: getattr(self, name)[::-1].copy() for name in _PAIRED}
        changes.update({name: -getattr(self, name) for name in _MIRRORED})
        kept = {name: getattr(self, name) for name in self.__slots__ if name not in changes}
        return Pose(**kept, **changes)


def _arms_down(pose: Pose, rng: np.random.Generator) -> None:
    pose.shoulder_flex[:] = rng.normal(4, 11, 2)
    pose.shoulder_abduct[:] = 7 + np.abs(rng.normal(0, 8, 2))
    pose.shoulder_twist[:] = rng.normal(20, 20, 2)
    pose.elbow[:] = np.abs(rng.normal(14, 14, 2))


def _stand(pose: Pose, rng: np.random.Generator) -> None:
    _arms_down(pose, rng)
    pose.hip_abduct[:] = rng.normal(4, 4) + rng.normal(0, 2.5, 2)
    pose.hip_flex[:] = rng.normal(0, 6, 2)
    pose.knee[:] = np.abs(rng.normal(0, 9, 2))
    style = rng.random()
    if style < 0.2:
        for side in (LEFT, RIGHT)[: 1 + (rng.random() < 0.6)]:
            pose.shoulder_abduct[side] = rng.normal(38, 6)
            pose.shoulder_flex[side] = rng.normal(-12, 6)
            pose.shoulder_twist[side] = rng.normal(65, 12)
            pose.elbow[side] = rng.normal(92, 10)
    elif style < 0.45:
        for side in (LEFT, RIGHT)[: 1 + (rng.random() < 0.5)]:
            pose.shoulder_flex[side] = rng.normal(35, 25)
            pose.elbow[side] = rng.uniform(50, 135)
            pose.shoulder_twist[side] = rng.normal(25, 25)


def _stride(pose: Pose, rng: np.random.Generator, reach: float, elbow: float, knee: float) -> None:
    phase = rng.uniform(0, 2 * np.pi)
    swing = np.sin(phase) * np.array((1.0, -1.0))
    rise = np.maximum(np.cos(phase) * np.array((-1.0, 1.0)), 0.0)
    pose.hip_flex[:] = reach * (0.25 + swing) + rng.normal(0, 5, 2)
    pose.knee[:] = np.maximum(8 + knee * rise + knee * 0.35 * np.maximum(-swing, 0) + rng.normal(0, 6, 2), 0)
    pose.shoulder_flex[:] = -reach * 1.05 * swing + rng.normal(0, 8, 2)
    pose.shoulder_abduct[:] = 8 + np.abs(rng.normal(0, 7, 2))
    pose.shoulder_twist[:] = rng.normal(20, 12, 2)
    pose.elbow[:] = np.maximum(elbow + rng.normal(0, 12, 2), 2)
    pose.spine_twist = float(-0.25 * reach * swing[0] + rng.normal(0, 4))
    pose.ankle[:] = rng.normal(0, 10, 2)


def _walk(pose: Pose, rng: np.random.Generator) -> None:
    _stride(pose, rng, rng.uniform(14, 30), rng.uniform(12, 40), rng.uniform(30, 60))
    pose.lean = float(rng.normal(3, 3))


def _run(pose: Pose, rng: np.random.Generator) -> None:
    _stride(pose, rng, rng.uniform(32, 58), rng.uniform(70, 110), rng.uniform(70, 115))
    pose.lean = float(rng.normal(12, 5))
    pose.lift = float(rng.uniform(0, 0.05))


def _sit(pose: Pose, rng: np.random.Generator) -> None:
    _arms_down(pose, rng)
    pose.hip_flex[:] = rng.normal(85, 7) + rng.normal(0, 4, 2)
    pose.hip_abduct[:] = np.abs(rng.normal(9, 8, 2))
    pose.knee[:] = rng.normal(84, 14) + rng.normal(0, 7, 2)
    pose.spine_flex = float(rng.normal(8, 9))
    pose.shoulder_flex[:] = rng.normal(30, 18, 2)
    pose.elbow[:] = np.abs(rng.normal(55, 28, 2))
    pose.shoulder_twist[:] = rng.normal(15, 15, 2)


def _arms_up(pose: Pose, rng: np.random.Generator) -> None:
    _stand(pose, rng)
    for side in (LEFT, RIGHT)[: 1 + (rng.random() < 0.65)]:
        if rng.random() < 0.5:
            pose.shoulder_abduct[side] = rng.uniform(85, 172)
            pose.shoulder_flex[side] = rng.normal(5, 12)
        else:
            pose.shoulder_flex[side] = rng.uniform(85, 175)
            pose.shoulder_abduct[side] = rng.normal(12, 12)
        pose.elbow[side] = np.abs(rng.normal(15, 40))
        pose.shoulder_twist[side] = rng.normal(-20, 40)


def _bend(pose: Pose, rng: np.random.Generator) -> None:
    _stand(pose, rng)
    pose.lean = float(rng.uniform(10, 55))
    pose.hip_flex[:] = pose.lean + rng.normal(0, 6, 2)
    pose.knee[:] = np.abs(rng.normal(22, 16)) + np.abs(rng.normal(0, 5, 2))
    pose.spine_flex = float(rng.uniform(10, 45))
    pose.neck_flex = float(rng.normal(-12, 12))
    pose.shoulder_flex[:] = pose.lean + rng.normal(20, 25, 2)
    pose.elbow[:] = np.abs(rng.normal(20, 25, 2))


def _jump(pose: Pose, rng: np.random.Generator) -> None:
    _wild_arms(pose, rng)
    tuck = rng.uniform(0, 75)
    pose.hip_flex[:] = tuck * 0.7 + rng.normal(0, 16, 2)
    pose.hip_abduct[:] = np.abs(rng.normal(12, 12, 2))
    pose.knee[:] = np.maximum(tuck * 1.1 + rng.normal(0, 20, 2), 0)
    pose.ankle[:] = rng.normal(30, 12, 2)
    pose.lift = float(rng.uniform(0.05, 0.2))


def _squat(pose: Pose, rng: np.random.Generator) -> None:
    depth = rng.uniform(45, 110)
    pose.hip_flex[:] = depth + rng.normal(0, 6, 2)
    pose.knee[:] = depth * 1.15 + rng.normal(0, 6, 2)
    pose.hip_abduct[:] = np.abs(rng.normal(18, 9, 2))
    pose.lean = float(depth * 0.25 + rng.normal(0, 5))
    pose.spine_flex = float(rng.normal(14, 8))
    pose.shoulder_flex[:] = rng.normal(55, 25, 2)
    pose.shoulder_abduct[:] = np.abs(rng.normal(14, 10, 2))
    pose.elbow[:] = np.abs(rng.normal(45, 30, 2))
    pose.neck_flex = float(rng.normal(-14, 8))


def _kick(pose: Pose, rng: np.random.Generator) -> None:
    _arms_up(pose, rng)
    pose.hip_flex[LEFT] = rng.uniform(20, 100)
    pose.hip_abduct[LEFT] = np.abs(rng.normal(8, 14))
    pose.knee[LEFT] = np.abs(rng.normal(18, 40))
    pose.lean = float(rng.normal(-4, 8))


def _wild_arms(pose: Pose, rng: np.random.Generator) -> None:
    pose.shoulder_flex[:] = rng.uniform(-35, 150, 2)
    pose.shoulder_abduct[:] = rng.uniform(0, 120, 2)
    pose.shoulder_twist[:] = rng.uniform(-50, 70, 2)
    pose.elbow[:] = rng.uniform(0, 130, 2)


def _wild(pose: Pose, rng: np.random.Generator) -> None:
    _wild_arms(pose, rng)
    pose.hip_flex[:] = rng.uniform(-20, 95, 2)
    pose.hip_abduct[:] = rng.uniform(0, 45, 2)
    pose.hip_twist[:] = rng.normal(0, 18, 2)
    pose.knee[:] = rng.uniform(0, 110, 2)
    pose.lean = float(rng.normal(5, 18))
    pose.spine_flex = float(rng.normal(5, 15))
    pose.spine_side = float(rng.normal(0, 14))
    pose.roll = float(rng.normal(0, 35))


ACTIVITIES: dict[str, tuple[float, Callable[[Pose, np.random.Generator], None]]] = {
    "stand": (0.19, _stand),
    "walk": (0.16, _walk),
    "run": (0.12, _run),
    "sit": (0.11, _sit),
    "arms_up": (0.12, _arms_up),
    "bend": (0.07, _bend),
    "jump": (0.06, _jump),
    "squat": (0.06, _squat),
    "kick": (0.05, _kick),
    "wild": (0.06, _wild),
}
_SHARES = np.cumsum([share for share, _ in ACTIVITIES.values()])


def sample_pose(rng: np.random.Generator, pitch: float) -> Pose:
    """Draw a pose.

    Args:
        rng: Source of randomness.
        pitch: How far the camera looks down, degrees; the same for all people of an image.
    """
    names = list(ACTIVITIES)
    name = names[min(int(np.searchsorted(_SHARES, rng.random() * _SHARES[-1])), len(names) - 1)]
    pose = Pose(activity=name)
    ACTIVITIES[name][1](pose, rng)
    pose.spine_side += float(rng.normal(0, 5))
    pose.spine_twist += float(rng.normal(0, 8))
    pose.spine_flex += float(rng.normal(2, 4))
    pose.neck_flex += float(rng.normal(2, 10))
    pose.neck_turn += float(rng.normal(0, 24))
    pose.neck_tilt += float(rng.normal(0, 7))
    pose.hip_twist += rng.normal(-5, 8, 2)
    pose.wrist[:] = rng.normal(5, 16, 2)
    pose.pitch = pitch
    pose.roll += float(rng.normal(0, 6) if rng.random() < 0.88 else rng.normal(0, 38))
    pose.yaw = _sample_yaw(rng)
    np.clip(pose.elbow, 0, 145, out=pose.elbow)
    np.clip(pose.knee, 0, 140, out=pose.knee)
    return pose.mirrored() if rng.random() < 0.5 else pose


def _sample_yaw(rng: np.random.Generator) -> float:
    # People in photographs face the camera more often than not, but every direction occurs.
    kind = rng.random()
    if kind < 0.58:
        return float(rng.normal(0, 35))
    if kind < 0.86:
        return float(rng.uniform(-180, 180))
    return float(180 + rng.normal(0, 32))
