"""Sections that masks and image classes share: a table of classes, the confusion between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..page import Page, Share, figure_png, figure_svg
from .charts import MANY_CLASSES, confusion_figure

#: Up to so many classes the matrix is written out; beyond, it is a picture and a list.
_WRITTEN = 24
#: Up to so many the matrix is shown at all.
DRAWN = 200
#: How many mistakes are listed.
LARGEST = 15


@dataclass(frozen=True)
class Mistake:
    """One class taken for another.

    Args:
        true, predicted: Their names.
        count: How often, in what is counted: pixels or images.
        share: Of the true class.
    """

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class ConfusionTable:
    """What was taken for what.

    Args:
        names: C classes.
        rows: (C, C) shares of each true class, in its row; NaN for classes that are not there. Empty for more than
            `DRAWN` classes.
        largest: The most frequent mistakes, first the most frequent.
    """

    names: Sequence[str]
    rows: Sequence[Sequence[float]]
    largest: Sequence[Mistake]

    def add_to(self, page: Page, of: str) -> None:
        """Adds the matrix as a picture and as a table, and the largest mistakes.

        Args:
            page: The page.
            of: What is counted, in the plural.
        """
        page.section("Confusion")
        if self.rows:
            page.text(f"Shares of the {of} of each true class, so that rows add up to 100 %.")
            figure = confusion_figure(np.array(self.rows, float), self.names)
            picture = figure_svg(figure) if len(self.names) <= MANY_CLASSES else figure_png(figure)
            page.picture(picture, "True class in rows, predicted in columns")
        if self.rows and len(self.names) <= _WRITTEN:
            rows = zip(self.names, self.rows, strict=True)
            shown = [[name, *(Share(value, shaded=True) for value in row)] for name, row in rows]
            page.table(["true \\ predicted", *self.names], shown)
        if self.largest:
            page.table(
                ["true", "taken for", of, "of the true class"],
                [[one.true, one.predicted, one.count, Share(one.share)] for one in self.largest],
                f"The {len(self.largest)} most frequent mistakes",
            )
