"""Masks of a test: pixels counted class by class, the worst and best images kept at the size of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.evaluator import Evaluator
from torch import Tensor

from ...analysis.confusion import Confusion
from ...analysis.drawing import blend_classes, enlarge
from ...analysis.reliability import Reliability
from ...reports.test_report.masks import BEST, WORST, ClassRow, MaskCase, MaskResult
from ...reports.test_report.report import Example
from .collector import Findings
from .pictures import jpeg, read_rgb, side_by_side
from .tables import confusion_table, score_bins

_SHOWN = 6
_BINS = 20
#: Width of one picture on the page, in pixels.
_WIDTH = 420
#: Of how many pixels of an image the confidence is looked at, about.
_PIXELS = 1 << 14
_CONFIDENCE_BINS = 20
_TINT = 0.72


@dataclass
class _Image:
    """One tested image: its mean IoU, and truth and prediction at the size of the page."""

    path: str
    miou: float
    truth: np.ndarray
    prediction: np.ndarray


@dataclass
class _State:
    """What a rank has gathered.

    Args:
        confusion: Of the pixels of all images; None before the first.
        mious: Of each image.
        confidence: Of pixels, if there were logits.
        worst, best: Images with the lowest and the highest mean IoU.
    """

    confusion: Confusion | None = None
    mious: list[float] = field(default_factory=list)
    confidence: Reliability | None = None
    worst: list[_Image] = field(default_factory=list)
    best: list[_Image] = field(default_factory=list)


class MaskCollector:
    """Counts pixels of each pair of true and predicted class, as mmseg's IoUMetric does."""

    def __init__(self) -> None:
        self._state = _State()
        self._classes = 0
        self._ignored = 255
        self._merged = False

    def watch(self, evaluator: Evaluator, merged: bool) -> None:
        """See `Collector`."""
        self._classes = len((evaluator.dataset_meta or {}).get("classes", ()))
        found = (metric.ignore_index for metric in evaluator.metrics if hasattr(metric, "ignore_index"))
        self._ignored = next(found, self._ignored)
        self._merged = merged

    def add(self, sample: Any) -> None:
        """See `Collector`."""
        if "gt_sem_seg" not in sample or not self._classes:
            return
        truth, prediction = (_mask(found.data) for found in (sample.gt_sem_seg, sample.pred_sem_seg))
        counted = truth != self._ignored
        confusion = Confusion.of(truth[counted], prediction[counted], self._classes)
        state = self._state
        state.confusion = confusion if state.confusion is None else state.confusion + confusion
        iou = confusion.iou()
        miou = float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")
        if np.isnan(miou):
            return
        state.mious.append(miou)
        self._keep(str(sample.metainfo.get("img_path", "")), miou, truth, prediction)
        if "seg_logits" in sample and not self._merged:
            found = _confidence(sample.seg_logits.data, truth, prediction, counted)
            state.confidence = found if state.confidence is None else state.confidence + found

    def _keep(self, path: str, miou: float, truth: np.ndarray, prediction: np.ndarray) -> None:
        """Keeps the image if it is among the worst or best so far."""
        for kept, sign in ((self._state.worst, 1), (self._state.best, -1)):
            if len(kept) < _SHOWN or sign * miou < sign * kept[-1].miou:
                kept.append(_Image(path, miou, _small(truth), _small(prediction)))
                kept.sort(key=lambda image, sign=sign: sign * image.miou)
                del kept[_SHOWN:]

    def state(self) -> Any:
        """See `Collector`."""
        return self._state

    def join(self, states: Sequence[Any]) -> None:
        """See `Collector`."""
        whole = _State()
        for name in ("confusion", "confidence"):
            found = [getattr(state, name) for state in states if getattr(state, name) is not None]
            setattr(whole, name, sum(found[1:], found[0]) if found else None)
        whole.mious = [miou for state in states for miou in state.mious]
        whole.worst = sorted((one for state in states for one in state.worst), key=lambda one: one.miou)[:_SHOWN]
        whole.best = sorted((one for state in states for one in state.best), key=lambda one: -one.miou)[:_SHOWN]
        self._state = whole

    def findings(self, metainfo: Mapping[str, Any], metrics: Mapping[str, float]) -> Findings:
        """See `Collector`."""
        state = self._state
        if state.confusion is None:
            return Findings(None, ["Segmentation: the samples hold no true masks, or the data set names no classes."])
        names = [str(name) for name in metainfo["classes"]]
        missing = []
        if state.confidence is None:
            why = "merged logits of test-time augmentation" if self._merged else "logits"
            missing.append(f"Confidence of pixels: the samples hold no {why}.")
        examples, unread = _draw(state, metainfo.get("palette") or [])
        result = _result(state, names, metainfo.get("palette") or [])
        return Findings(result, missing + unread, examples, f"{len(state.mious)} images, {len(names)} classes")


def _mask(data: Tensor) -> np.ndarray:
    """(1, H, W) or (H, W) class indices as (H, W), on the CPU."""
    return data.reshape(data.shape[-2:]).to(torch.int32).cpu().numpy()


def _confidence(logits: Tensor, truth: np.ndarray, prediction: np.ndarray, counted: np.ndarray) -> Reliability:
    step = max(1, math.isqrt(truth.size // _PIXELS))
    truth, prediction, counted = (values[::step, ::step] for values in (truth, prediction, counted))
    logits = logits[:, ::step, ::step].float()
    if len(logits) == 1:  # of a single class mmseg hands out probabilities, and its threshold need not be 0.5
        foreground = logits[0].cpu().numpy()
        best = np.where(prediction == 1, foreground, 1 - foreground)
    else:
        best = logits.softmax(0).amax(0).cpu().numpy()
    return Reliability.of(best[counted], (prediction == truth)[counted], _CONFIDENCE_BINS)


def _small(mask: np.ndarray) -> np.ndarray:
    """A mask at the width of the page, for drawing alone."""
    height = max(round(mask.shape[0] * _WIDTH / mask.shape[1]), 1)
    return cv2.resize(mask.astype(np.uint8), (_WIDTH, height), interpolation=cv2.INTER_NEAREST)


def _result(state: _State, names: Sequence[str], palette: Sequence[Sequence[int]]) -> MaskResult:
    confusion, pixels = state.confusion, int(state.confusion.table.sum())
    iou, total = confusion.iou(), max(pixels, 1)
    columns = (iou, confusion.accuracy(), confusion.precision(), confusion.true / total, confusion.predicted / total)
    rows = [ClassRow(name, *map(float, values)) for name, *values in zip(names, *columns, strict=True)]
    return MaskResult(
        images=len(state.mious),
        pixels=pixels,
        miou=float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan"),
        image_miou=float(np.median(state.mious)) if state.mious else float("nan"),
        miou_bins=np.histogram(state.mious, _BINS, (0, 1))[0].tolist(),
        classes=rows,
        confusion=confusion_table(confusion, names),
        confidence=score_bins("pixels", state.confidence, "confidence") if state.confidence else None,
        palette=[list(map(int, colour)) for colour in palette],
        worst=[MaskCase(Path(one.path).name, one.miou) for one in state.worst],
        best=[MaskCase(Path(one.path).name, one.miou) for one in state.best],
    )


def _draw(state: _State, palette: Sequence[Sequence[int]]) -> tuple[dict[str, list[Example]], list[str]]:
    drawn: dict[str, list[Example]] = {}
    unread = []
    for name, images in ((WORST, state.worst), (BEST, state.best)):
        drawn[name] = []
        for one in images:
            image = read_rgb(one.path)
            if image is None:
                unread.append(Path(one.path).name)
                continue
            picture = enlarge(image, _WIDTH)[: one.truth.shape[0]]
            if picture.shape[:2] != one.truth.shape:
                picture = cv2.resize(picture, one.truth.shape[::-1])
            masks = [blend_classes(picture, mask, palette, _TINT) for mask in (one.truth, one.prediction)]
            caption = f"mIoU {100 * one.miou:.1f} · {Path(one.path).name}"
            drawn[name].append(Example(jpeg(side_by_side([picture, *masks])), caption))
    return drawn, [f"Pictures: {', '.join(sorted(set(unread)))} could not be read again."] if unread else []
