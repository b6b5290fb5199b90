"""What is wrong with a predicted keypoint: jitter, inversion, swap, or miss.

Ronchi and Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation", ICCV 2017
(arXiv:1707.05388), counted as their coco-analyze does: a predicted keypoint is compared with the same keypoint and its
mirror partner of all persons in the picture, and named after the most similar of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .oks import similarities

GOOD, JITTER, INVERSION, SWAP, MISS = range(5)
KINDS = ("good", "jitter", "inversion", "swap", "miss")
#: In the place of a kind, where the truth does not label the keypoint.
UNLABELLED = -1
#: Similarities from which on a keypoint is near a place, and is good. The paper's.
NEAR, FINE = 0.5, 0.85
#: From which similarity on a prediction and a person are a pair, in their analysis.
PAIRED = 0.1


def keypoint_errors(
    pose: np.ndarray,
    person: int,
    truth: np.ndarray,
    areas: np.ndarray,
    mirror: Sequence[int],
    sigmas: Sequence[float],
) -> tuple[np.ndarray, np.ndarray]:
    """The similarity of each keypoint of a prediction to its true place, and what is wrong with it.

    Args:
        pose: (K, 2 or more) the prediction.
        person: Index of the true person to whom it belongs.
        truth: (T, K, 3) x, y, visibility of all persons in the picture.
        areas: (T,) in pixels.
        mirror: (K,) for each keypoint the index of its partner on the other side, its own for one in the middle.
        sigmas: (K,).

    Returns:
        (K,) similarities, NaN where the truth labels nothing, and (K,) indices into `KINDS`, -1 there.
    """
    order = [person, *(index for index in range(len(truth)) if index != person)]
    places = np.concatenate([truth[order], truth[order][:, list(mirror)]])
    values = similarities(pose[None], places, np.tile(areas[order], 2), sigmas)
    values = np.where(places[..., 2] > 0, values, -1.0)
    best, near = values.argmax(0), values.max(0) >= NEAR
    kinds = np.full(len(pose), SWAP)
    kinds[best == len(truth)] = INVERSION
    kinds[best == 0] = np.where(values[0] >= FINE, GOOD, JITTER)[best == 0]
    kinds[~near] = MISS
    labelled = truth[person, :, 2] > 0
    return np.where(labelled, values[0], np.nan), np.where(labelled, kinds, UNLABELLED)
