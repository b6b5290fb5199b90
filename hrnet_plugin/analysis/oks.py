"""Object keypoint similarity: how well a predicted pose fits a true one, 0 to 1.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the COCO keypoint challenge.
"""

from __future__ import annotations

import numpy as np

from hrnet_plugin.data.skeleton import SIGMAS


def oks(predicted: np.ndarray, truth: np.ndarray, area: float) -> float:
    """The similarity of one predicted pose to one true pose.

    Args:
        predicted: (17, 2 or more) x, y in pixels.
        truth: (17, 3) x, y, visibility; keypoints of visibility 0 do not count.
        area: Area of the true person in pixels.

    Returns:
        0 to 1; NaN if the truth labels no keypoint.
    """
    labelled = truth[:, 2] > 0
    if not labelled.any():
        return float("nan")
    away2 = ((predicted[:, :2] - truth[:, :2]) ** 2).sum(1)
    spread2 = (2 * np.asarray(SIGMAS)) ** 2
    return float(np.exp(-away2 / (2 * spread2 * (area + np.spacing(1))))[labelled].mean())


def best_oks(predicted: np.ndarray, truth: np.ndarray, areas: np.ndarray) -> list[float]:
    """For each true person the similarity of the prediction that fits it best.

    Args:
        predicted: (P, 17, 2 or more).
        truth: (T, 17, 3).
        areas: (T,) in pixels.

    Returns:
        T values, 0 where nothing was predicted.
    """
    return [
        max((oks(pose, person, float(area)) for pose in predicted), default=0.0)
        for person, area in zip(truth, areas, strict=True)
    ]
