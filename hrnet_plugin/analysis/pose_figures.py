"""Predicted and true poses of a data set as arrays, a row a pair, from which every figure is a mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .oks import oks_table, unlabelled_oks
from .pose_errors import KINDS, PAIRED, keypoint_errors
from .pose_matching import match_poses

#: From which OKS, and from which similarity of a keypoint, a prediction counts as right.
RIGHT = 0.5


@dataclass(frozen=True)
class PosePicture:
    """All persons and predictions of one image.

    Args:
        path: Of the image.
        predicted: (P, K, 3) x, y in pixels and score.
        scores: (P,) of the whole predictions.
        truth: (T, K, 3) x, y, visibility.
        areas: (T,) in pixels.
        boxes: (T, 4) x, y, width, height.
        crowds: (T,) bool: groups, which do not count.
        names: T, under which the annotations know the persons.
        own: (P,) the person for whom each prediction was made, -1 for nobody; None where that is not known.
        scales: (T,) by what errors in pixels are divided; None for the root of the area.
    """

    path: str
    predicted: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    areas: np.ndarray
    boxes: np.ndarray
    crowds: np.ndarray
    names: Sequence[str]
    own: np.ndarray | None = None
    scales: np.ndarray | None = None

    @property
    def counted(self) -> np.ndarray:
        """(T,) bool: persons that count: no crowds, and with a labelled keypoint."""
        return (self.truth[..., 2] > 0).any(1) & ~self.crowds


@dataclass(frozen=True)
class PosePairs:
    """Persons and the predictions that belong to them.

    Args:
        picture, person, prediction: (N,) indices of the picture, and in it of person and prediction.
        oks: (N,).
        similarity: (N, K), NaN where the truth labels nothing.
        kinds: (N, K) indices into `pose_errors.KINDS`, -1 there.
        pixels: (N, K) distance.
        scales: (N,) by what it is divided.
        scores: (N, K) of the keypoints.
        areas: (M,) of all persons that count.
        person_oks: (M,) of their predictions, 0 without one.
        prediction_scores: (L,) of all predictions that are right or wrong.
        right: (L,) bool: an OKS of 0.5 and more, with the person for whom they were made or, where that is not known,
            with one that no higher score has taken.
    """

    picture: np.ndarray
    person: np.ndarray
    prediction: np.ndarray
    oks: np.ndarray
    similarity: np.ndarray
    kinds: np.ndarray
    pixels: np.ndarray
    scales: np.ndarray
    scores: np.ndarray
    areas: np.ndarray
    person_oks: np.ndarray
    prediction_scores: np.ndarray
    right: np.ndarray

    def lost(self) -> dict[str, float]:
        """How much of the mean OKS each kind of error costs, and persons without a prediction; adds up to 1 - OKS."""
        persons = max(len(self.areas), 1)
        labelled = (self.kinds >= 0).sum(1, keepdims=True)
        missing = np.nan_to_num(1 - self.similarity) / np.maximum(labelled, 1)
        found = {name: float(missing[self.kinds == kind].sum() / persons) for kind, name in enumerate(KINDS)}
        return found | {"no prediction": (len(self.areas) - len(self.oks)) / persons}


def pair_poses(
    pictures: Iterable[PosePicture], mirror: Sequence[int], sigmas: Sequence[float], keypoints: int
) -> PosePairs:
    """Joins predictions and persons, and compares each pair.

    Where it is known for whom a prediction was made, that is the pair. Otherwise pairs are found as COCO's evaluation
    finds them, from an OKS of 0.1 on.

    Args:
        pictures: All of the data set.
        mirror: (K,) partner of each keypoint on the other side, its own index for one in the middle.
        sigmas: (K,).
        keypoints: K.
    """
    rows: dict[str, list] = defaultdict(list)
    for index, picture in enumerate(pictures):
        counted = picture.counted
        table = similarity_table(picture, sigmas)
        judged, right = _judged(picture, table)
        _add(rows, prediction_scores=picture.scores[judged], right=right[judged])
        best = np.zeros(len(picture.truth))
        truth, areas = picture.truth[counted], picture.areas[counted]
        places = np.cumsum(counted) - 1
        for prediction, person in _pairs(picture, table):
            pose, true = picture.predicted[prediction], picture.truth[person]
            similarity, kinds = keypoint_errors(pose, places[person], truth, areas, mirror, sigmas)
            best[person] = np.nanmean(similarity)
            pixels = np.where(kinds >= 0, np.linalg.norm(pose[:, :2] - true[:, :2], axis=1), np.nan)
            scale = np.sqrt(picture.areas[person]) if picture.scales is None else picture.scales[person]
            _add(rows, picture=index, person=person, prediction=prediction, oks=best[person], similarity=similarity)
            _add(rows, kinds=kinds, pixels=pixels, scales=scale, scores=pose[:, 2])
        _add(rows, areas=areas, person_oks=best[counted])
    return _joined(rows, keypoints)


def similarity_table(picture: PosePicture, sigmas: Sequence[float]) -> np.ndarray:
    """(P, T) OKS of every prediction to every person, for those without labelled keypoints as COCO has it."""
    labelled = (picture.truth[..., 2] > 0).any(1)
    table = oks_table(picture.predicted, picture.truth, picture.areas, sigmas)
    if labelled.all():
        return table
    return np.where(labelled, table, unlabelled_oks(picture.predicted, picture.boxes, picture.areas, sigmas))


def _judged(picture: PosePicture, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P,) bool: predictions that are right or wrong, and which of them are right."""
    if picture.own is None:
        matches = match_poses(table, picture.scores, RIGHT, picture.counted, picture.crowds)
        return ~matches.ignored, matches.person >= 0
    judged = np.append(picture.counted, False)[picture.own]
    own = np.take_along_axis(np.pad(table, ((0, 0), (0, 1))), picture.own[:, None], 1)[:, 0]
    return judged, judged & (own >= RIGHT)


def _pairs(picture: PosePicture, table: np.ndarray) -> Iterator[tuple[int, int]]:
    if picture.own is not None:
        person = np.where(np.append(picture.counted, False)[picture.own], picture.own, -1)
    else:
        person = match_poses(table, picture.scores, PAIRED, picture.counted, picture.crowds).person
    for prediction in np.flatnonzero(person >= 0):
        yield int(prediction), int(person[prediction])


def _add(rows: dict[str, list], **values: object) -> None:
    for name, value in values.items():
        rows[name].append(value)


def _joined(rows: dict[str, list], keypoints: int) -> PosePairs:
    integers = {name: np.asarray(rows[name], int) for name in ("picture", "person", "prediction")}
    numbers = {name: np.asarray(rows[name], float) for name in ("oks", "scales")}
    tables = {
        name: np.asarray(rows[name]).reshape(-1, keypoints) for name in ("similarity", "kinds", "pixels", "scores")
    }
    lists = {name: np.concatenate([[], *rows[name]]) for name in ("areas", "person_oks", "prediction_scores", "right")}
    return PosePairs(**integers, **numbers, **tables, **{**lists, "right": lists["right"].astype(bool)})
