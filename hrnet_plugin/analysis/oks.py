"""Object keypoint similarity: how well a predicted pose fits a true one, 0 to 1.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the COCO keypoint challenge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hrnet_plugin.data.skeleton import SIGMAS

#: What COCO adds to areas, against those that are 0.
_TINY = np.spacing(1)


def similarities(
    predicted: np.ndarray, truth: np.ndarray, areas: np.ndarray | float, sigmas: Sequence[float] = SIGMAS
) -> np.ndarray:
    """The similarity of each keypoint by itself: 1 on the true place, 0.61 at one tolerance from it.

    Args:
        predicted: (..., K, 2 or more) x, y in pixels.
        truth: (..., K, 2 or more), joined with `predicted` as numpy joins shapes.
        areas: (...) of the true persons, in pixels.
        sigmas: (K,) spread of each keypoint, as the data set states it.

    Returns:
        (..., K).
    """
    away2 = ((predicted[..., :2] - truth[..., :2]) ** 2).sum(-1)
    return _fallen(away2, areas, sigmas)


def oks(predicted: np.ndarray, truth: np.ndarray, area: float, sigmas: Sequence[float] = SIGMAS) -> float:
    """The similarity of one predicted pose to one true pose.

    Args:
        predicted: (K, 2 or more) x, y in pixels.
        truth: (K, 3) x, y, visibility; keypoints of visibility 0 do not count.
        area: Area of the true person in pixels.
        sigmas: (K,).

    Returns:
        0 to 1; NaN if the truth labels no keypoint.
    """
    return float(oks_table(predicted[None], truth[None], np.array([area]), sigmas)[0, 0])


def oks_table(
    predicted: np.ndarray, truth: np.ndarray, areas: np.ndarray, sigmas: Sequence[float] = SIGMAS
) -> np.ndarray:
    """The similarity of every predicted pose to every true one.

    Args:
        predicted: (P, K, 2 or more).
        truth: (T, K, 3) x, y, visibility.
        areas: (T,) in pixels.
        sigmas: (K,).

    Returns:
        (P, T); NaN in the columns of persons without a labelled keypoint.
    """
    labelled = truth[..., 2] > 0
    values = similarities(predicted[:, None], truth[None], areas[None], sigmas) * labelled
    counts = labelled.sum(1)
    return np.where(counts > 0, values.sum(-1) / np.maximum(counts, 1), np.nan)


def unlabelled_oks(
    predicted: np.ndarray, boxes: np.ndarray, areas: np.ndarray, sigmas: Sequence[float] = SIGMAS
) -> np.ndarray:
    """What COCO takes for the similarity to persons without labelled keypoints: 1 around their box, less beyond.

    Args:
        predicted: (P, K, 2 or more).
        boxes: (T, 4) x, y, width, height; keypoints may lie as far outside as the box is wide and high.
        areas: (T,) in pixels.
        sigmas: (K,).

    Returns:
        (P, T).
    """
    start, size = boxes[None, :, None, :2], boxes[None, :, None, 2:]
    places = predicted[:, None, :, :2]
    outside = np.maximum(start - size - places, 0) + np.maximum(places - start - 2 * size, 0)
    return _fallen((outside**2).sum(-1), areas[None], sigmas).mean(-1)


def best_oks(predicted: np.ndarray, truth: np.ndarray, areas: np.ndarray) -> list[float]:
    """For each true person of COCO's 17 keypoints the similarity of the prediction that fits it best.

    Args:
        predicted: (P, 17, 2 or more).
        truth: (T, 17, 3).
        areas: (T,) in pixels.

    Returns:
        T values, 0 where nothing was predicted.
    """
    return oks_table(predicted, truth, areas).max(0, initial=0.0).tolist()


def _fallen(away2: np.ndarray, areas: np.ndarray | float, sigmas: Sequence[float]) -> np.ndarray:
    spread2 = (2 * np.asarray(sigmas, np.float64)) ** 2
    return np.exp(-away2 / (2 * spread2 * (np.asarray(areas, np.float64)[..., None] + _TINY)))
