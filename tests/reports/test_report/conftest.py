"""Numbers of each task, as small as they can be."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.reports.test_report.charts import ScoreBins
from hrnet_plugin.reports.test_report.classes import ConfusionTable, Mistake
from hrnet_plugin.reports.test_report.labels import LabelCase, LabelResult, LabelRow
from hrnet_plugin.reports.test_report.masks import ClassRow, MaskCase, MaskResult
from hrnet_plugin.reports.test_report.pose_rows import KeypointRow, PersonCase, SidePair, SizeRow
from hrnet_plugin.reports.test_report.poses import PoseResult

NAN = float("nan")
KINDS = ("good", "jitter", "inversion", "swap", "miss")


def bins(of: str, name: str = "score") -> ScoreBins:
    """Four bins, one of them empty."""
    return ScoreBins(of, name, (0, 0, 3, 9), (2, 0, 1, 1), (0.1, NAN, 0.6, 0.9), (0.0, NAN, 0.75, 0.9), 0.08, 0.02)


def pose_result(names: tuple[str, ...] = ("nose", "left_eye", "right_eye"), threshold: float | None = None):
    """Numbers about poses; the second keypoint is labelled nowhere."""
    kinds = dict(zip(KINDS, (0.5, 0.2, 0.1, 0.1, 0.1), strict=True))
    nothing = dict.fromkeys(KINDS, NAN)
    rows = [
        KeypointRow(name, 0, NAN, NAN, NAN, NAN, NAN, nothing, threshold and NAN)
        if index == 1
        else KeypointRow(name, 10, 0.71, 0.8, 0.05, 2.5, 0.66, kinds, threshold and 0.625)
        for index, name in enumerate(names)
    ]
    return PoseResult(
        one="person", many="persons", images=4, persons=10, predictions=9, unpaired=1,
        pairing="Paired by boxes.", judging="the person of its box",
        measure="Areas of annotations.", scale="√area", threshold=threshold, oks=0.7,
        lost=dict(zip((*KINDS, "no prediction"), (0.01, 0.04, 0.05, 0.05, 0.05, 0.1), strict=True)),
        oks_bins=[1, 0, 2, 7], keypoints=rows, pairs=[SidePair(names[1:3], 10, (NAN, 0.1), 0.1)],
        sizes=[SizeRow("small", "0 to 1024", 0, NAN, NAN, NAN, None, None),
               SizeRow("all", "", 10, 0.7, 0.8, 0.5, 0.627, 0.632)],
        scores=[bins("persons"), bins("keypoints")],
        worst=[PersonCase("1.jpg", "7", 0.1, {"miss": 3})], best=[PersonCase("2.jpg", "8", 0.9, {"good": 3})],
    )  # fmt: skip


def confusion(classes: int) -> ConfusionTable:
    """Each class is taken for the next one in a fifth of the cases."""
    rows = np.eye(classes) * 0.8 + np.roll(np.eye(classes), 1, 1) * 0.2
    names = [f"class <{index}>" for index in range(classes)]
    return ConfusionTable(names, rows.tolist() if classes <= 200 else [], [Mistake(names[0], names[1], 20, 0.2)])


def mask_result(classes: int = 3) -> MaskResult:
    """Numbers about masks."""
    table = confusion(classes)
    return MaskResult(
        images=5, pixels=500, miou=0.6, image_miou=0.55, miou_bins=[0, 2, 3],
        classes=[ClassRow(name, 0.61234, 0.8, NAN, 1 / classes, 1 / classes) for name in table.names],
        confusion=table, confidence=bins("pixels", "confidence"), palette=[[index, 0, 0] for index in range(classes)],
        worst=[MaskCase("a.png", 0.2)], best=[MaskCase("b.png", 0.9)],
    )  # fmt: skip


def label_result(classes: int = 3) -> LabelResult:
    """Numbers about classes of images."""
    table = confusion(classes)
    rows = [LabelRow(name, 10, index / classes, 0.5, 0.7) for index, name in enumerate(table.names)]
    cases = [LabelCase("a.jpg", "cat", "dog", 0.99)]
    return LabelResult(10 * classes, 0.8, rows, table, bins("images", "confidence"), cases)


@pytest.fixture(params=[pose_result, mask_result, label_result], ids=["pose", "segmentation", "classification"])
def task(request: pytest.FixtureRequest):
    """The numbers of each task in turn."""
    return request.param()


@pytest.fixture
def pose_numbers():
    """`pose_numbers(names=..., threshold=...)`."""
    return pose_result


@pytest.fixture
def mask_numbers():
    """`mask_numbers(classes)`."""
    return mask_result


@pytest.fixture
def label_numbers():
    """`label_numbers(classes)`."""
    return label_result
