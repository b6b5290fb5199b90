"""The report of all data sets as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hrnet_plugin.analysis.views import as_jpeg
from hrnet_plugin.reports.page import Page, Share

from .drawing import DrawnSuspect
from .report import DataReport


def data_page(
    title: str, about: Mapping[str, object], reports: Sequence[DataReport], drawn: Sequence[DrawnSuspect]
) -> Page:
    """A page with a section for each data set, and the worst of what was found.

    Args:
        title: Of the page.
        about: What was checked, as names and values.
        reports: Of each data set.
        drawn: Pictures with something wrong in them.
    """
    page = Page(title, about)
    notes = sum(len(report.findings) - len(report.errors) for report in reports)
    page.headline({"errors": str(sum(len(report.errors) for report in reports)), "notes": str(notes)})
    for report in reports:
        page.section(report.title, _told(report))
        page.findings(report.findings)
        for table in report.frequencies:
            cells = [[row.name, f"{row.count:,}", *map(Share, row.shares.values())] for row in table.rows]
            page.table(table.head, cells)
    if drawn:
        page.section("Pictures")
        page.gallery([(as_jpeg(np.hstack(one.tiles)), f"{one.check}: {one.name}") for one in drawn], width=420)
    return page


def _told(report: DataReport) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in report.counts.items())
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in report.seconds.items())
    return f"{counts}. Time: {seconds}." if seconds else f"{counts}." if counts else ""
