"""From counts to the tables that pages of several tasks have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...analysis.confusion import Confusion
from ...analysis.reliability import Reliability
from ...reports.test_report.charts import ScoreBins
from ...reports.test_report.classes import DRAWN, LARGEST, ConfusionTable, Mistake


def confusion_of(truth: Tensor, prediction: Tensor, classes: int) -> np.ndarray:
    """The table of :class:`~hrnet_plugin.analysis.confusion.Confusion`.

    Args:
        truth, prediction: (N,) class indices; those beyond `classes` or below 0 count as another class.
        classes: C.
    """
    true, guess = (values.long() for values in (truth, prediction))
    true, guess = (values.where((values >= 0) & (values < classes), classes) for values in (true, guess))
    counts = torch.bincount(true * (classes + 1) + guess, minlength=(classes + 1) ** 2)
    return counts.reshape(classes + 1, classes + 1).cpu().numpy()


def confusion_table(confusion: Confusion, names: Sequence[str]) -> ConfusionTable:
    """As the page shows it."""
    rows = confusion.rows()
    mistakes = [
        Mistake(names[true], names[guess], count, float(rows[true, guess]))
        for true, guess, count in confusion.largest(LARGEST)
    ]
    return ConfusionTable(tuple(names), rows.tolist() if len(names) <= DRAWN else [], mistakes)


def score_bins(of: str, found: Reliability, name: str = "score") -> ScoreBins:
    """Scores as the page shows them; see `ScoreBins`."""
    lists = (values.tolist() for values in (found.right, found.wrong, found.mean_score, found.rate))
    return ScoreBins(of, name, *lists, found.error(), found.bias())
