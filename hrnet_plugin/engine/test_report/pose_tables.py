"""From pairs of predictions and persons to the rows of the page's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.pose_errors import INVERSION, KINDS, SWAP
from ...analysis.pose_figures import RIGHT, PosePairs, PosePicture
from ...analysis.reliability import Reliability
from ...reports.test_report.charts import ScoreBins
from ...reports.test_report.pose_rows import KeypointRow, PersonCase, SidePair, SizeRow
from ...reports.test_report.poses import BEST, WORST, PoseResult
from .tables import score_bins

#: COCO's limits of small, medium and large persons, as areas in pixels, with the evaluator's names for them.
_SIZES = (("small", 0.0, 32.0**2, ""), ("medium", 32.0**2, 96.0**2, "(M)"), ("large", 96.0**2, np.inf, "(L)"))
_OKS_BINS = 20
_SHOWN = 6


@dataclass(frozen=True)
class Words:
    """How the figures came about, for the reader; see `PoseResult`."""

    one: str
    many: str
    pairing: str
    judging: str
    measure: str
    scale: str
    threshold: float | None


def pose_result(
    pictures: Sequence[PosePicture],
    pairs: PosePairs,
    metainfo: Mapping[str, Any],
    metrics: Mapping[str, float],
    words: Words,
    cases: Mapping[str, np.ndarray],
) -> PoseResult:
    """All tables.

    Args:
        pictures, pairs: What was tested.
        metainfo: Of the data set.
        metrics: Of the evaluator.
        words: How the figures came about.
        cases: Which pairs are shown, by the names of the lists.
    """
    names = [str(metainfo["keypoint_id2name"][index]) for index in range(pairs.kinds.shape[1])]
    return PoseResult(
        one=words.one,
        many=words.many,
        images=len(pictures),
        persons=len(pairs.areas),
        predictions=sum(len(picture.scores) for picture in pictures),
        unpaired=len(pairs.areas) - len(pairs.oks),
        pairing=words.pairing,
        judging=words.judging,
        measure=words.measure,
        scale=words.scale,
        threshold=words.threshold,
        oks=_mean(pairs.person_oks),
        lost=pairs.lost(),
        oks_bins=np.histogram(pairs.person_oks, _OKS_BINS, (0, 1))[0].tolist(),
        keypoints=_keypoint_rows(pairs, names, words.threshold),
        pairs=_side_pairs(pairs, names, metainfo.get("flip_indices") or range(len(names))),
        sizes=_size_rows(pairs, metrics),
        scores=_scores(pairs, words.many),
        worst=[_case(pictures, pairs, index) for index in cases[WORST]],
        best=[_case(pictures, pairs, index) for index in cases[BEST]],
    )


def chosen_cases(pairs: PosePairs, worst: bool, count: int = _SHOWN) -> np.ndarray:
    """Indices of the pairs to show: lowest or highest OKS, of few pairs no more than half.

    A picture of a person with a single labelled keypoint would show nothing: the worst have three of them, the best
    half of all, where there are such persons.
    """
    labelled, keypoints = (pairs.kinds >= 0).sum(1), pairs.kinds.shape[1]
    enough = np.flatnonzero(labelled >= min(3, keypoints) if worst else labelled >= keypoints / 2)
    chosen = enough if len(enough) else np.arange(len(pairs.oks))
    order = np.argsort(pairs.oks[chosen] if worst else -pairs.oks[chosen], kind="stable")
    return chosen[order[: min(count, -(-len(chosen) // 2))]]


def scaled_errors(pairs: PosePairs) -> np.ndarray:
    """(N, K) distances as shares of the scale; NaN where that is 0."""
    return pairs.pixels / np.where(pairs.scales > 0, pairs.scales, np.nan)[:, None]


def _keypoint_rows(pairs: PosePairs, names: Sequence[str], threshold: float | None) -> list[KeypointRow]:
    errors = scaled_errors(pairs)
    rows = []
    for index, name in enumerate(names):
        labelled = pairs.kinds[:, index] >= 0
        error, similarity = errors[labelled, index], pairs.similarity[labelled, index]
        measured = error[np.isfinite(error)]
        rows.append(
            KeypointRow(
                name=name,
                labelled=int(labelled.sum()),
                similarity=_mean(similarity),
                found=_mean(similarity >= RIGHT),
                error=_mean(measured),
                pixels=float(np.median(pairs.pixels[labelled, index])) if labelled.any() else float("nan"),
                score=_mean(pairs.scores[labelled, index]),
                kinds={kind: _mean(pairs.kinds[labelled, index] == place) for place, kind in enumerate(KINDS)},
                pck=None if threshold is None else _mean(measured < threshold),
            )
        )
    return rows


def _side_pairs(pairs: PosePairs, names: Sequence[str], mirror: Sequence[int]) -> list[SidePair]:
    rows = []
    for first, second in enumerate(mirror):
        if first >= second:
            continue
        kinds = [pairs.kinds[pairs.kinds[:, index] >= 0, index] for index in (first, second)]
        rows.append(
            SidePair(
                names=(names[first], names[second]),
                labelled=sum(map(len, kinds)),
                inversions=(_mean(kinds[0] == INVERSION), _mean(kinds[1] == INVERSION)),
                swaps=_mean(np.concatenate(kinds) == SWAP),
            )
        )
    return rows


def _size_rows(pairs: PosePairs, metrics: Mapping[str, float]) -> list[SizeRow]:
    rows = []
    for name, least, most, short in _SIZES:
        oks = pairs.person_oks[(pairs.areas >= least) & (pairs.areas < most)]
        limits = f"{least:.0f} to {most:.0f}" if np.isfinite(most) else f"{least:.0f} and more"
        rows.append(_size_row(name, limits, oks, metrics, f" {short}" if short else None))
    return [*rows, _size_row("all", "", pairs.person_oks, metrics, "")]


def _size_row(name: str, limits: str, oks: np.ndarray, metrics: Mapping[str, float], ending: str | None) -> SizeRow:
    ap, ar = (None if ending is None else _metric(metrics, f"{kind}{ending}") for kind in ("AP", "AR"))
    return SizeRow(name, limits, len(oks), _mean(oks), _mean(oks >= 0.5), _mean(oks >= 0.75), ap, ar)


def _metric(metrics: Mapping[str, float], name: str) -> float | None:
    """A metric without the prefix of its evaluator; COCO says -1 where there was nobody to measure."""
    found = next((value for key, value in metrics.items() if key.rpartition("/")[2] == name), None)
    return None if found is None or found < 0 else float(found)


def _scores(pairs: PosePairs, many: str) -> list[ScoreBins]:
    labelled = pairs.kinds >= 0
    return [
        score_bins(many, Reliability.of(pairs.prediction_scores, pairs.right)),
        score_bins("keypoints", Reliability.of(pairs.scores[labelled], pairs.similarity[labelled] >= RIGHT)),
    ]


def _case(pictures: Sequence[PosePicture], pairs: PosePairs, index: int) -> PersonCase:
    picture = pictures[pairs.picture[index]]
    counts = {kind: int((pairs.kinds[index] == place).sum()) for place, kind in enumerate(KINDS)}
    return PersonCase(Path(picture.path).name, picture.names[pairs.person[index]], float(pairs.oks[index]), counts)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
