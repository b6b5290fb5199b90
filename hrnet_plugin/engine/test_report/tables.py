"""From counts to the tables that pages of several tasks have."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.confusion import Confusion
from ...analysis.reliability import Reliability
from ...reports.test_report.charts import ScoreBins
from ...reports.test_report.classes import DRAWN, LARGEST, ConfusionTable, Mistake


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
