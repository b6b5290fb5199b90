"""The classes of the semantic masks."""

from __future__ import annotations

BACKGROUND, HEAD, TORSO, ARMS, LEGS, OBJECT = range(6)
IGNORE = 255

CLASS_NAMES = ("background", "head", "torso", "arms", "legs", "object")
PALETTE = ((40, 44, 52), (235, 94, 85), (250, 183, 60), (86, 180, 110), (66, 135, 214), (160, 100, 190))
