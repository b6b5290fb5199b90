"""The sections about poses: persons, keypoints, their errors, left and right, scores, worst and best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..page import Page, Share, figure_svg
from .charts import ScoreBins, histogram_figure, rgb, score_figure, stacked_figure
from .pose_rows import KeypointRow, PersonCase, SidePair, SizeRow
from .report import Example

WORST, BEST = "worst", "best"
_ERRORS = (
    "After Ronchi and Perona (arXiv:1707.05388). A keypoint is good with a similarity of 0.85 and more to its true "
    "place, and jitter from 0.5 on. Otherwise: an inversion lies on the same {one}'s keypoint of the other side, a "
    "swap on that of another {one} (either side), both with a similarity of 0.5 and more; a miss lies on none of them."
)
_DRAWN = (
    "Truth on the left, rings where it is occluded. Prediction on the right; a line goes from each keypoint that is "
    "not good to its true place, in the colour of its error."
)
_MANY = 40


@dataclass(frozen=True)
class PoseResult:
    """All numbers about poses.

    Args:
        one, many: What has a pose, in the singular and in the plural: person, persons.
        images, persons, predictions: How many.
        unpaired: Persons without a prediction.
        pairing: How predictions and persons were joined, as a sentence.
        judging: To whom a prediction has to be similar to be right, in words.
        measure: By which areas and sigmas similarity is measured, as a sentence.
        scale: What the errors of keypoints are shares of.
        threshold: Of PCK, as a share of that; None where the evaluator has none.
        oks: Mean over all persons.
        lost: Mean OKS that each kind of error costs; these and `oks` add up to 1.
        oks_bins: Persons by OKS, in equal bins.
        keypoints, pairs, sizes, scores: The tables.
        worst, best: The persons shown.
    """

    one: str
    many: str
    images: int
    persons: int
    predictions: int
    unpaired: int
    pairing: str
    judging: str
    measure: str
    scale: str
    threshold: float | None
    oks: float
    lost: Mapping[str, float]
    oks_bins: Sequence[int]
    keypoints: Sequence[KeypointRow]
    pairs: Sequence[SidePair]
    sizes: Sequence[SizeRow]
    scores: Sequence[ScoreBins]
    worst: Sequence[PersonCase]
    best: Sequence[PersonCase]

    def headline(self) -> dict[str, str]:
        """Mean OKS and how many persons."""
        return {"mean OKS": f"{self.oks:.3f}", self.many: f"{self.persons}", "images": f"{self.images}"}

    def add_to(self, page: Page, examples: Mapping[str, Sequence[Example]]) -> None:
        """Adds the sections."""
        self._add_persons(page)
        self._add_keypoints(page)
        self._add_errors(page)
        self._add_scores(page)
        self._add_cases(page, examples)

    def _add_persons(self, page: Page) -> None:
        page.section(self.many.capitalize(), f"{self.pairing} {self.measure}")
        page.picture(figure_svg(histogram_figure(self.oks_bins, "OKS", self.many)), "How similar predictions are (OKS)")
        page.table(
            ["size", "area in pixels", self.many, "mean OKS", "OKS 0.5 and more", "OKS 0.75 and more", "AP", "AR"],
            [
                [row.name, row.sizes, row.persons, _number(row.oks, 3), Share(row.half), Share(row.three_quarters)]
                + ["-" if value is None else f"{value:.3f}" for value in (row.ap, row.ar)]
                for row in self.sizes
            ],
            f"AP and AR are the evaluator's; {self.many} without a prediction count with OKS 0.",
        )

    def _add_keypoints(self, page: Page) -> None:
        head = [
            "keypoint",
            "labelled",
            "similarity",
            "found",
            f"mean error ({self.scale})",
            "median error, px",
            "score",
        ]
        pck = self.threshold is not None
        page.section(
            "Keypoints",
            f"Over all labelled keypoints of {self.many} that have a prediction. Similarity is the part in OKS; found "
            "means a similarity of 0.5 and more.",
        )
        page.table(
            [*head, *([f"PCK@{self.threshold:g}"] if pck else [])],
            [
                [row.name, row.labelled, Share(row.similarity), Share(row.found), _percent(row.error)]
                + [_number(row.pixels, 1), _number(row.score, 2)]
                + ([Share(np.nan if row.pck is None else row.pck)] if pck else [])
                for row in self.keypoints
            ],
            folded=f"All {len(self.keypoints)} keypoints" if len(self.keypoints) > _MANY else "",
        )

    def _add_errors(self, page: Page) -> None:
        page.section("Errors", _ERRORS.format(one=self.one))
        page.picture(
            figure_svg(stacked_figure(["1 - OKS"], np.array([list(self.lost.values())]), list(self.lost), "OKS lost")),
            f"What keeps the mean OKS at {self.oks:.3f}: how much of it each kind of error costs",
        )
        shown = self.keypoints if len(self.keypoints) <= _MANY else _worst_of(self.keypoints)
        kinds = list(self.keypoints[0].kinds)
        shares = np.array([[row.kinds[kind] for kind in kinds] for row in shown])
        caption = "" if len(shown) == len(self.keypoints) else f": the {_MANY} with the fewest good ones"
        figure = stacked_figure([row.name for row in shown], shares, kinds, "share of labelled keypoints")
        page.picture(figure_svg(figure), f"Errors of each keypoint{caption}")
        page.table(
            ["keypoint", *kinds],
            [[row.name, *(Share(row.kinds[kind]) for kind in kinds)] for row in self.keypoints],
            folded="The same in numbers",
        )
        if self.pairs:
            page.section("Left and right", f"How often a keypoint is predicted on its partner of the same {self.one}.")
            page.table(
                ["pair", "labelled", "first on second", "second on first", f"on another {self.one}"],
                [
                    [" / ".join(pair.names), pair.labelled, *map(Share, pair.inversions), Share(pair.swaps)]
                    for pair in self.pairs
                ],
                folded=f"All {len(self.pairs)} pairs" if len(self.pairs) > _MANY / 2 else "",
            )

    def _add_scores(self, page: Page) -> None:
        page.section(
            "Scores",
            f"A prediction is right with an OKS of 0.5 and more to {self.judging}. A keypoint is right with "
            "a similarity of 0.5 and more. Points on the dashed line would be scores that are chances.",
        )
        for scores in self.scores:
            page.picture(figure_svg(score_figure(scores)), scores.note())

    def _add_cases(self, page: Page, examples: Mapping[str, Sequence[Example]]) -> None:
        for name, words in (
            (WORST, f"The lowest OKS among {self.many} with a prediction and three labelled keypoints or more."),
            (BEST, f"The highest OKS among {self.many} with at least half of their keypoints labelled."),
        ):
            page.section(f"{name.capitalize()} {self.many}", f"{words} {_DRAWN}")
            shown = examples.get(name, ())
            if shown:
                page.legend([(kind, rgb(kind)) for kind in self.keypoints[0].kinds if kind != "good"])
                page.gallery([(example.picture, example.caption) for example in shown], width=330)
            else:
                page.text("None could be drawn.")


def _worst_of(rows: Sequence[KeypointRow]) -> list[KeypointRow]:
    return sorted(rows, key=lambda row: row.found)[:_MANY]


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f} %"


def _number(value: float, digits: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{digits}f}"
