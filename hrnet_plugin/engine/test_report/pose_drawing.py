"""Persons of a test, drawn: the truth beside the prediction, with a line from each error to its true place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from ...analysis.drawing import draw_pose
from ...analysis.pose_errors import GOOD, KINDS
from ...analysis.pose_figures import PosePairs, PosePicture
from ...analysis.skeleton import Skeleton
from ...reports.test_report.charts import rgb
from ...reports.test_report.report import Example
from .pictures import cut_out, jpeg, read_rgb, side_by_side, window_around

#: Width and height of one tile, in pixels; twice as large as it is shown on a plain screen.
_TILE = (330, 400)
_SHIFT = 4
#: Predicted keypoints may widen the window up to so many sizes of the box around the true person.
_REACH = 0.6


def draw_cases(
    pictures: Sequence[PosePicture], pairs: PosePairs, cases: Mapping[str, np.ndarray], skeleton: Skeleton
) -> tuple[dict[str, list[Example]], list[str]]:
    """Draws the chosen pairs.

    Args:
        pictures, pairs: What was tested.
        cases: Indices of pairs, by the names of the lists.
        skeleton: Of the data set.

    Returns:
        The drawings by the names of the lists, and what could not be drawn, a sentence each.
    """
    drawn: dict[str, list[Example]] = {name: [] for name in cases}
    unread = []
    for name, chosen in cases.items():
        for index in chosen:
            picture = pictures[pairs.picture[index]]
            image = read_rgb(picture.path)
            if image is None:
                unread.append(Path(picture.path).name)
                continue
            drawn[name].append(Example(_draw(image, picture, pairs, index, skeleton), _caption(picture, pairs, index)))
    return drawn, [f"Pictures: {', '.join(sorted(set(unread)))} could not be read again."] if unread else []


def _draw(image: np.ndarray, picture: PosePicture, pairs: PosePairs, index: int, skeleton: Skeleton) -> bytes:
    true, pose = picture.truth[pairs.person[index]], picture.predicted[pairs.prediction[index]]
    left, top, unit = _window(true, pose, picture.boxes[pairs.person[index]], image.shape[1::-1])
    scale = 1 / unit
    tile = cut_out(image, left, top, scale, _TILE)
    tiles = [tile, tile.copy()]
    moved = [np.concatenate([places[:, :2] - (left, top), places[:, 2:]], 1) for places in (true, pose)]
    labelled = true[:, 2] > 0
    draw_pose(tiles[0], moved[0], labelled, true[:, 2] == 1 if (true[:, 2] > 1).any() else None, scale, skeleton)
    _draw_errors(tiles[1], moved[0], moved[1], pairs.kinds[index], scale)
    draw_pose(tiles[1], moved[1], labelled, None, scale, skeleton)
    return jpeg(side_by_side(tiles))


def _window(true: np.ndarray, pose: np.ndarray, box: np.ndarray, image: tuple[int, int]) -> tuple[float, float, float]:
    corners = np.stack([box[:2], box[:2] + box[2:]])
    shown = np.concatenate([corners, true[true[:, 2] > 0, :2]])
    reach = _REACH * np.ptp(shown, 0).max()
    guessed = pose[true[:, 2] > 0, :2].clip(shown.min(0) - reach, shown.max(0) + reach)
    return window_around(np.concatenate([shown, guessed]), _TILE, image)


def _draw_errors(tile: np.ndarray, true: np.ndarray, pose: np.ndarray, kinds: np.ndarray, scale: float) -> None:
    for place in np.flatnonzero(kinds > GOOD):
        colour = rgb(KINDS[kinds[place]])
        ends = [_fixed(point[place], scale) for point in (pose, true)]
        cv2.line(tile, *ends, (20, 22, 26), 5, cv2.LINE_AA, _SHIFT)
        cv2.line(tile, *ends, colour, 3, cv2.LINE_AA, _SHIFT)
        cv2.circle(tile, ends[1], 5 << _SHIFT, colour, 2, cv2.LINE_AA, _SHIFT)


def _fixed(place: np.ndarray, scale: float) -> tuple[int, int]:
    x, y = (((place[:2] + 0.5) * scale - 0.5) * (1 << _SHIFT)).clip(-1e6, 1e6)
    return round(float(x)), round(float(y))


def _caption(picture: PosePicture, pairs: PosePairs, index: int) -> str:
    counts = {kind: int((pairs.kinds[index] == place).sum()) for place, kind in enumerate(KINDS)}
    wrong = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count and kind != "good")
    name = f"{Path(picture.path).name}, no. {picture.names[pairs.person[index]]}"
    return f"OKS {pairs.oks[index]:.3f} · {wrong or 'all good'} · {name}"
