"""The sections about classification: classes, confusion, confidence, confident mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..page import Page, Share, figure_svg
from .charts import ScoreBins, score_figure
from .classes import ConfusionTable
from .report import Example

MISTAKES = "mistakes"
#: Beyond so many classes only the worst of them are listed.
_MANY = 60


@dataclass(frozen=True)
class LabelRow:
    """One class.

    Args:
        name: Of the class.
        images: How many are of it.
        accuracy: Share of them that is predicted as such; NaN without any.
        precision: Share of the images predicted as such that are of the class.
        confidence: Mean probability of what is predicted for its images.
    """

    name: str
    images: int
    accuracy: float
    precision: float
    confidence: float


@dataclass(frozen=True)
class LabelCase:
    """An image that is shown."""

    image: str
    true: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class LabelResult:
    """All numbers about classes of images.

    Args:
        images: How many were counted.
        accuracy: Share of right ones.
        classes, confusion: The tables.
        confidence: Of images.
        mistakes: The images shown: wrong with the highest confidence.
    """

    images: int
    accuracy: float
    classes: Sequence[LabelRow]
    confusion: ConfusionTable
    confidence: ScoreBins
    mistakes: Sequence[LabelCase]

    def headline(self) -> dict[str, str]:
        """How many images."""
        return {"images": f"{self.images}", "wrong": f"{round(self.images * (1 - self.accuracy))}"}

    def add_to(self, page: Page, examples: Mapping[str, Sequence[Example]]) -> None:
        """Adds the sections."""
        rows, caption = self.classes, ""
        if len(rows) > _MANY:
            rows = sorted((row for row in rows if row.images), key=lambda row: row.accuracy)[:_MANY]
            caption = f"The {len(rows)} least accurate of {len(self.classes)} classes; all are in report.json"
        page.section("Classes")
        page.table(
            ["class", "images", "accuracy", "precision", "mean confidence"],
            [[row.name, row.images, Share(row.accuracy), Share(row.precision), Share(row.confidence)] for row in rows],
            caption,
        )
        self.confusion.add_to(page, "images")
        page.section("Confidence", "The largest predicted probability of each image.")
        page.picture(figure_svg(score_figure(self.confidence)), self.confidence.note())
        page.section("Confident mistakes", "Wrong predictions with the highest confidence.")
        shown = examples.get(MISTAKES, ())
        if shown:
            page.gallery([(example.picture, example.caption) for example in shown], width=200)
        else:
            page.text("There are none, or their images could not be read again.")
