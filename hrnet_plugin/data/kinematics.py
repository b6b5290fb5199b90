"""From joint angles to places in space: forward kinematics, and the camera that makes pixels of them.

A body's own frame: x to its left, y up, z forward. The camera's frame: x right, y up, z towards the camera, so that
a person of yaw 0 faces the camera. Lengths are in units of an adult's standing height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .body import Build
from .pose import LEFT, RIGHT, Pose

_DOWN = np.array((0.0, -1.0, 0.0))
_PERSPECTIVE = 0.14


def _about(axis: int, degrees: float) -> np.ndarray:
    """The rotation by an angle about x (0), y (1) or z (2)."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    if axis == 0:
        return np.array(((1.0, 0.0, 0.0), (0.0, cosine, -sine), (0.0, sine, cosine)))
    if axis == 1:
        return np.array(((cosine, 0.0, sine), (0.0, 1.0, 0.0), (-sine, 0.0, cosine)))
    return np.array(((cosine, -sine, 0.0), (sine, cosine, 0.0), (0.0, 0.0, 1.0)))


@dataclass(slots=True)
class Joints:
    """Places (3,) and frames (3, 3; columns are the axes x, y, z) of a posed body, pelvis at the origin.

    Pairs are (left, right). The frames of limbs have y pointing from the far joint to the near one.
    """

    build: Build
    waist: np.ndarray
    neck: np.ndarray
    chin: np.ndarray
    pelvis_frame: np.ndarray
    belly_frame: np.ndarray
    chest_frame: np.ndarray
    head_frame: np.ndarray
    shoulders: list[np.ndarray]
    elbows: list[np.ndarray]
    wrists: list[np.ndarray]
    hands: list[np.ndarray]
    arm_frames: list[np.ndarray]
    hips: list[np.ndarray]
    knees: list[np.ndarray]
    ankles: list[np.ndarray]
    heels: list[np.ndarray]
    toes: list[np.ndarray]
    leg_frames: list[np.ndarray]

    def in_head(self, x: float, y: float, z: float) -> np.ndarray:
        """A place given in heights of the head, seen from the chin, in the camera's frame."""
        return self.chin + self.head_frame @ (np.array((x, y, z)) * self.build.head)


def pose_body(build: Build, pose: Pose) -> Joints:
    """Place the joints of a body in the camera's frame, pelvis at the origin."""
    view = _about(2, pose.roll) @ _about(0, pose.pitch)
    pelvis = view @ _about(1, pose.yaw) @ _about(0, pose.lean)
    belly = pelvis @ _about(1, pose.spine_twist / 2) @ _about(0, pose.spine_flex / 2)
    belly = belly @ _about(2, pose.spine_side / 2)
    chest = belly @ _about(2, pose.spine_side / 2) @ _about(0, pose.spine_flex / 2)
    chest = chest @ _about(1, pose.spine_twist / 2)
    waist = belly[:, 1] * build.belly
    neck = waist + chest[:, 1] * build.chest
    head = chest @ _about(1, pose.neck_turn) @ _about(0, pose.neck_flex) @ _about(2, pose.neck_tilt)
    chin = neck + (chest[:, 1] + head[:, 1]) * 0.5 * build.neck + head[:, 2] * build.head * 0.08
    arms = _arms(build, pose, neck, chest)
    legs = _legs(build, pose, pelvis)
    return Joints(build, waist, neck, chin, pelvis, belly, chest, head, *arms, *legs)


def _arms(build: Build, pose: Pose, neck: np.ndarray, chest: np.ndarray) -> tuple[list[np.ndarray], ...]:
    shoulders, elbows, wrists, hands, frames = [], [], [], [], []
    for side in (LEFT, RIGHT):
        sign = 1.0 if side == LEFT else -1.0
        raised = max(abs(pose.shoulder_flex[side]), abs(pose.shoulder_abduct[side])) - 60.0
        shrug = 0.0004 * max(raised, 0.0)
        place = chest @ np.array((sign * build.shoulder_half, shrug - 0.022, 0.0))
        upper = chest @ _about(2, sign * pose.shoulder_abduct[side]) @ _about(0, -pose.shoulder_flex[side])
        upper = upper @ _about(1, -sign * pose.shoulder_twist[side])
        lower = upper @ _about(0, -pose.elbow[side])
        palm = lower @ _about(0, -pose.wrist[side])
        shoulders.append(neck + place)
        elbows.append(shoulders[-1] + upper @ _DOWN * build.upper_arm)
        wrists.append(elbows[-1] + lower @ _DOWN * build.forearm)
        hands.append(wrists[-1] + palm @ _DOWN * build.hand)
        frames.append(palm)
    return shoulders, elbows, wrists, hands, frames


def _legs(build: Build, pose: Pose, pelvis: np.ndarray) -> tuple[list[np.ndarray], ...]:
    hips, knees, ankles, heels, toes, frames = [], [], [], [], [], []
    for side in (LEFT, RIGHT):
        sign = 1.0 if side == LEFT else -1.0
        thigh = pelvis @ _about(2, sign * pose.hip_abduct[side]) @ _about(0, -pose.hip_flex[side])
        thigh = thigh @ _about(1, -sign * pose.hip_twist[side])
        shin = thigh @ _about(0, pose.knee[side])
        foot = shin @ _about(0, pose.ankle[side])
        hips.append(pelvis[:, 0] * sign * build.hip_half)
        knees.append(hips[-1] + thigh @ _DOWN * build.thigh)
        ankles.append(knees[-1] + shin @ _DOWN * build.shin)
        heels.append(ankles[-1] + foot @ np.array((0.0, -0.022, -0.010)))
        toes.append(ankles[-1] + foot @ np.array((0.0, -0.030, build.foot - 0.02)))
        frames.append(shin)
    return hips, knees, ankles, heels, toes, frames


@dataclass(frozen=True, slots=True)
class Camera:
    """Puts a body into the picture: `scale` is pixels per unit of length, (`left`, `top`) the pelvis in pixels."""

    scale: float
    left: float
    top: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) in the body's units to pixels x, y and depth towards the viewer (N, 3)."""
        near = self.magnify(points) * self.scale
        return np.stack(
            (self.left + points[:, 0] * near, self.top - points[:, 1] * near, points[:, 2] * self.scale), axis=1
        )

    @staticmethod
    def magnify(points: np.ndarray) -> np.ndarray:
        """How much larger than at the pelvis things appear at the points (N, 3): (N,)."""
        return 1.0 + _PERSPECTIVE * points[:, 2]
