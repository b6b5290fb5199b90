"""The 17 COCO keypoints: order, names, mirror pairs, limbs and the tolerance of each.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the sigmas are those of the COCO keypoint
challenge.
"""

from __future__ import annotations

NAMES = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)

INDEX = {name: index for index, name in enumerate(NAMES)}

FLIP_PAIRS = tuple((INDEX[name], INDEX[name.replace("left", "right")]) for name in NAMES if name.startswith("left"))

# Pairs of 0-based indices. COCO's files count from one: see `coco_skeleton`.
LIMBS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip

SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
    0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
)  # fmt: skip


def coco_skeleton() -> list[list[int]]:
    """The limbs as COCO's annotation files hold them, counted from one."""
    return [[first + 1, second + 1] for first, second in LIMBS]
