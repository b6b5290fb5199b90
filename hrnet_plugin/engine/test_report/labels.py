"""Classes of a test: true and predicted class and its probability of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.evaluator import Evaluator

from ...analysis.confusion import Confusion
from ...analysis.reliability import Reliability
from ...reports.test_report.labels import MISTAKES, LabelCase, LabelResult, LabelRow
from ...reports.test_report.report import Example
from .collector import Findings
from .pictures import jpeg, read_rgb
from .tables import confusion_table, score_bins

_SHOWN = 12
_SIDE = 240


class LabelCollector:
    """Keeps three numbers an image, and the paths of the wrong ones with the highest probability."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, float]] = []
        self._mistakes: list[tuple[float, str, int, int]] = []

    def watch(self, evaluator: Evaluator, merged: bool) -> None:
        """See `Collector`."""

    def add(self, sample: Any) -> None:
        """See `Collector`."""
        if "gt_label" not in sample or "pred_score" not in sample or sample.gt_label.numel() != 1:
            return
        true = int(sample.gt_label)
        confidence, predicted = (float(value) for value in sample.pred_score.max(0))
        self._rows.append((true, int(predicted), confidence))
        if int(predicted) != true:
            self._mistakes.append((confidence, str(sample.metainfo.get("img_path", "")), true, int(predicted)))
            if len(self._mistakes) > 2 * _SHOWN:
                self._mistakes = sorted(self._mistakes, reverse=True)[:_SHOWN]

    def state(self) -> Any:
        """See `Collector`."""
        return self._rows, sorted(self._mistakes, reverse=True)[:_SHOWN]

    def join(self, states: Sequence[Any]) -> None:
        """See `Collector`."""
        self._rows = [row for rows, _ in states for row in rows]
        self._mistakes = sorted((one for _, mistakes in states for one in mistakes), reverse=True)[:_SHOWN]

    def findings(self, metainfo: Mapping[str, Any], metrics: Mapping[str, float]) -> Findings:
        """See `Collector`."""
        if not self._rows:
            return Findings(None, ["Classes: the samples do not hold one true class and the predicted scores of all."])
        table = np.array(self._rows, float)
        true, predicted, confidence = table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2]
        names = _names(metainfo, max(int(true.max()), int(predicted.max())) + 1)
        confusion = Confusion.of(true, predicted, len(names))
        sums = np.bincount(true, confidence, minlength=len(names))[: len(names)]
        means = np.divide(sums, confusion.true, out=np.full(len(names), np.nan), where=confusion.true > 0)
        columns = (
            confusion.true.tolist(),
            confusion.accuracy().tolist(),
            confusion.precision().tolist(),
            means.tolist(),
        )
        result = LabelResult(
            images=len(true),
            accuracy=float((true == predicted).mean()),
            classes=[LabelRow(*row) for row in zip(names, *columns, strict=True)],
            confusion=confusion_table(confusion, names),
            confidence=score_bins("images", Reliability.of(confidence, true == predicted), "confidence"),
            mistakes=[
                LabelCase(Path(path).name, names[right], names[guess], sure)
                for sure, path, right, guess in self._mistakes
            ],
        )
        return Findings(result, [], {MISTAKES: self._drawn(names)}, f"{len(true)} images, {len(names)} classes")

    def _drawn(self, names: Sequence[str]) -> list[Example]:
        found = ((one, read_rgb(one[1])) for one in self._mistakes)
        return [
            Example(
                jpeg(_square(image)),
                f"{names[true]}, predicted {names[predicted]} ({100 * confidence:.0f} %) · {Path(path).name}",
            )
            for (confidence, path, true, predicted), image in found
            if image is not None
        ]


def _names(metainfo: Mapping[str, Any], least: int) -> list[str]:
    names = [str(name) for name in metainfo.get("classes") or ()]
    return names + [f"class {index}" for index in range(len(names), least)]


def _square(image: np.ndarray) -> np.ndarray:
    """The middle of an image, at the size of the page."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return cv2.resize(image[top : top + side, left : left + side], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
