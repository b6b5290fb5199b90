"""A posed, dressed body as rounded cones, and the places of its keypoints."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import head
from .kinematics import Camera, Joints
from .look import Look
from .paint import Paint
from .parts import ARMS, HEAD, LEGS, TORSO
from .pose import LEFT, RIGHT
from .raster import Cone


@dataclass(slots=True)
class Figure:
    """A person ready to be drawn.

    Args:
        cones: In pixels.
        keypoints: x, y in pixels and depth towards the viewer, (17, 3).
        thickness: How far in front of a keypoint its own body reaches, in pixels, (17,).
        face: Marks to put on the drawn head.
    """

    cones: list[Cone]
    keypoints: np.ndarray
    thickness: np.ndarray
    face: list[head.Mark]


def _torso(joints: Joints, look: Look) -> list[Cone]:
    build = joints.build
    girth, waist_girth = build.girth, build.waist
    chest_width = (build.shoulder_half - 0.012) / (0.058 * girth**0.5)
    chest_depth = 0.060 * girth**0.5
    waist_depth = 0.052 * waist_girth * girth**0.5
    pelvis_depth = 0.060 * girth**0.6
    top = Paint(look.top, look.top_second, look.top_pattern, look.pattern_period)
    trousers = Paint(look.bottom, look.bottom_second, look.bottom_pattern, look.pattern_period)
    upper = joints.neck - joints.chest_frame[:, 1] * (chest_depth + 0.004)
    lateral, belly_lateral = joints.chest_frame[:, 0], joints.belly_frame[:, 0]
    centre = _front_centre(joints)
    pelvis = joints.pelvis_frame[:, 1] * 0.012
    belt = joints.waist * 0.45
    shirt = replace(top, origin=0.0, centre=centre)
    lower_shirt = replace(top, origin=-build.belly * 0.55, centre=centre)
    cones = [
        Cone(joints.waist, upper, waist_depth, chest_depth, shirt, TORSO, lateral, float(chest_width)),
        Cone(belt, joints.waist, pelvis_depth * 0.97, waist_depth, lower_shirt, TORSO, belly_lateral, 1.42),
        Cone(pelvis, belt, pelvis_depth, pelvis_depth * 0.97, trousers, TORSO, joints.pelvis_frame[:, 0], 1.42),
    ]
    neck_base = joints.neck - joints.chest_frame[:, 1] * 0.012
    for side in (LEFT, RIGHT):
        radius = 0.029 * build.limb_girth
        shoulder = joints.shoulders[side] * 0.85 + neck_base * 0.15
        cones.append(Cone(neck_base, shoulder, 0.026, radius, replace(top, pattern="plain"), TORSO))
    if look.backpack is not None:
        middle = (joints.waist + upper) / 2 - joints.chest_frame[:, 2] * (chest_depth + 0.035)
        rise = joints.chest_frame[:, 1] * 0.05
        cones.append(Cone(middle - rise, middle + rise, 0.05, 0.045, Paint(look.backpack), TORSO, lateral, 1.35))
    return cones


def _front_centre(joints: Joints) -> float:
    """Where the middle of the chest lies across the picture, -1 to 1; far outside if it faces away."""
    forward, up = joints.chest_frame[:, 2], joints.chest_frame[:, 1]
    if forward[2] < 0.0:
        return 9.0
    # `sideways` in the rasteriser is measured across the axis on the picture, which points down there.
    return float(-(forward[1] * up[0] - forward[0] * up[1]) / max(np.hypot(up[0], up[1]), 0.2))


def _sleeved(start: float, look: Look, base: Paint, under: np.ndarray, end: float) -> Paint:
    """The paint of a limb's half: cloth up to `end` (0 to 1 within it), `under` from there on."""
    if end <= 0.0:
        return Paint(under)
    return replace(base, origin=start, cut=min(end, 1.0), beyond=under)


def _arms(joints: Joints, look: Look) -> list[Cone]:
    cones: list[Cone] = []
    build = joints.build
    size = build.limb_girth
    cloth = Paint(look.top, look.top_second, "rings" if look.top_pattern == "rings" else "plain", look.pattern_period)
    if look.top_pattern in ("checks", "dots"):
        cloth.pattern = look.top_pattern
    loose = 1.1 if look.sleeve > 0.2 else 1.0
    for side in (LEFT, RIGHT):
        shoulder, elbow, wrist, hand = (
            places[side] for places in (joints.shoulders, joints.elbows, joints.wrists, joints.hands)
        )
        upper = _sleeved(0.0, look, cloth, look.skin, look.sleeve)
        lower = _sleeved(build.upper_arm, look, cloth, look.skin, look.sleeve - 1.0)
        long = 1.12 if look.sleeve > 1.2 else 1.0
        cones.append(Cone(shoulder, elbow, 0.033 * size * loose, 0.0245 * size * long, upper, ARMS, shadow=True))
        cones.append(Cone(elbow, wrist, 0.0245 * size * long, 0.0175 * size * long, lower, ARMS, shadow=True))
        across = joints.arm_frames[side][:, 2]
        cones.append(Cone(wrist, hand, 0.0165 * size, 0.0195 * size, Paint(look.skin), ARMS, across, 1.25, shadow=True))
    return cones


def _legs(joints: Joints, look: Look) -> list[Cone]:
    cones: list[Cone] = []
    build = joints.build
    size = build.limb_girth
    trousers = Paint(look.bottom, look.bottom_second, look.bottom_pattern, look.pattern_period)
    wide = 1.13 if look.leg > 1.6 else 1.0
    for side in (LEFT, RIGHT):
        hip, knee, ankle = joints.hips[side], joints.knees[side], joints.ankles[side]
        upper = _sleeved(0.0, look, trousers, look.skin, look.leg)
        lower = _sleeved(build.thigh, look, trousers, look.skin, look.leg - 1.0)
        if lower.cut < 1.0 or look.leg <= 1.0:
            lower = replace(lower, beyond=look.sock) if look.leg > 1.0 else Paint(look.skin, cut=0.72, beyond=look.sock)
        cones.append(Cone(hip, knee, 0.060 * size, 0.0385 * size * wide, upper, LEGS, shadow=True))
        calf = knee * 0.68 + ankle * 0.32 - joints.leg_frames[side][:, 2] * 0.008
        calf_radius = 0.0355 * size * wide
        bare = replace(lower, cut=1.0) if lower.cut < 1.0 else lower
        cones.append(Cone(knee, calf, 0.0385 * size * wide, calf_radius, bare, LEGS, shadow=True))
        rest = replace(lower, origin=lower.origin + build.shin * 0.32, cut=_rescale(lower.cut, 0.32))
        cones.append(Cone(calf, ankle, calf_radius, 0.0225 * size * wide**2, rest, LEGS, shadow=True))
        shoe = Paint(look.shoe)
        heel, toe = joints.heels[side], joints.toes[side]
        cones.append(Cone(heel, toe, 0.0265, 0.0195, shoe, LEGS, joints.leg_frames[side][:, 0], 1.1))
    if look.skirt:
        hem = (joints.knees[LEFT] + joints.knees[RIGHT]) / 2 * look.skirt
        belt = joints.waist * 0.3
        spread = np.linalg.norm(joints.knees[LEFT] - joints.knees[RIGHT]) * 0.5 * look.skirt
        wide_end = max(0.075, 0.045 + 0.55 * float(spread))
        skirt = replace(trousers, origin=0.0)
        cones.append(Cone(belt, hem, 0.058, wide_end, skirt, LEGS, joints.pelvis_frame[:, 0], 1.4, flat=True))
    return cones


def _rescale(cut: float, begin: float) -> float:
    return 1.0 if cut >= 1.0 else max((cut - begin) / (1.0 - begin), 0.0)


def _own_thickness(joints: Joints) -> np.ndarray:
    limb, girth, size = joints.build.limb_girth, joints.build.girth, joints.build.head
    pairs = (
        0.05 * size,
        0.12 * size,
        0.040 * limb,
        0.027 * limb,
        0.021 * limb,
        0.060 * girth,
        0.039 * limb,
        0.028 * limb,
    )
    return np.array([0.06 * size, *(value for value in pairs for _ in (LEFT, RIGHT))])


def _keypoints(joints: Joints) -> np.ndarray:
    rows = head.keypoints(joints)
    hips = [hip * 1.15 for hip in joints.hips]
    for pair in (joints.shoulders, joints.elbows, joints.wrists, hips, joints.knees, joints.ankles):
        rows.extend(pair)
    return np.stack(rows)


def build_figure(joints: Joints, look: Look, camera: Camera) -> Figure:
    """Dress a posed body and put it into the picture."""
    cones = _torso(joints, look) + _arms(joints, look) + _legs(joints, look) + head.cones(joints, look)
    cones.append(Cone(joints.neck - joints.chest_frame[:, 1] * 0.02, joints.in_head(0, 0.25, -0.08),
                      0.030 * joints.build.limb_girth, 0.027, Paint(look.skin), HEAD))  # fmt: skip
    ends = np.stack([cone.start for cone in cones] + [cone.end for cone in cones])
    places, sizes = camera.project(ends), camera.magnify(ends) * camera.scale
    count = len(cones)
    for index, cone in enumerate(cones):
        cone.start, cone.end = places[index], places[count + index]
        cone.start_radius *= float(sizes[index])
        cone.end_radius *= float(sizes[count + index])
        if cone.axis is not None:
            cone.axis = cone.axis * np.array((1.0, -1.0, 1.0))
        cone.paint = replace(cone.paint, period=max(cone.paint.period * camera.scale, 2.0),
                             origin=cone.paint.origin * camera.scale)  # fmt: skip
    keypoints = _keypoints(joints)
    thickness = _own_thickness(joints) * camera.scale
    return Figure(cones, camera.project(keypoints), thickness, head.marks(joints, look, camera))
