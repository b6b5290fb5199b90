"""The build of a person: lengths and girths as parts of the standing height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Build:
    """Lengths of one body; everything is in units of the standing height of an average adult.

    `height` scales the whole, the others are parts of it: they differ between adults and children, slim and heavy.
    """

    height: float
    head: float
    neck: float
    chest: float
    belly: float
    shoulder_half: float
    hip_half: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shin: float
    foot: float
    girth: float
    waist: float
    limb_girth: float
    feminine: float


def sample_build(rng: np.random.Generator) -> Build:
    """Draw the build of a person; about one in six is a child."""
    child = rng.random() < 0.16
    youth = rng.uniform(0.35, 1.0) if child else 0.0
    girth = float(np.exp(rng.normal(0.02, 0.13)))
    feminine = float(rng.random())
    legs = rng.normal(1.0, 0.04) * (1.0 - 0.12 * youth)
    arms = rng.normal(1.0, 0.04) * (1.0 - 0.08 * youth)
    torso = rng.normal(1.0, 0.03)
    shoulder = (0.118 - 0.016 * feminine) * rng.normal(1.0, 0.05) * (0.75 + 0.25 * girth)
    return Build(
        height=float(rng.normal(1.0 - 0.04 * feminine, 0.04) * (1.0 - 0.32 * youth)),
        head=float(0.158 * rng.normal(1.0, 0.04) * (1.0 + 0.3 * youth)),
        neck=float(rng.uniform(0.024, 0.036)),
        chest=float(0.205 * torso),
        belly=float(0.105 * torso),
        shoulder_half=float(shoulder),
        hip_half=float(rng.normal(0.060, 0.004) * (0.8 + 0.2 * girth)),
        upper_arm=float(0.160 * arms),
        forearm=float(0.140 * arms),
        hand=float(0.062 * arms),
        thigh=float(0.240 * legs),
        shin=float(0.232 * legs),
        foot=float(rng.normal(0.105, 0.006)),
        girth=girth,
        waist=float(rng.normal(1.0 - 0.14 * feminine, 0.06) * (1.0 + max(girth - 1.0, 0.0))),
        limb_girth=float(0.5 * (1.0 + girth) * rng.normal(1.06, 0.07) * (1.0 + 0.12 * youth)),
        feminine=feminine,
    )
