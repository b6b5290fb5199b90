"""Pixels are counted as mmseg counts them, on one rank and on several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample
from PIL import Image

from hrnet_plugin.engine.test_report import masks
from hrnet_plugin.engine.test_report.masks import MaskCollector

CLASSES = ("sky", "road", "car", "never")
PALETTE = [[0, 0, 255], [90, 90, 90], [255, 0, 0], [0, 255, 0]]
METAINFO = {"classes": CLASSES, "palette": PALETTE}
IGNORED = 255


@pytest.fixture
def samples(tmp_path: Path) -> list[SegDataSample]:
    """Nine images of 60x40; number 4 is predicted best, number 7 worst."""
    rng = np.random.default_rng(2)
    made = []
    for number in range(9):
        truth = np.kron(rng.integers(0, 3, (4, 6)), np.ones((10, 10), int))
        wrong = rng.random((40, 60)) < {4: 0.02, 7: 0.9}.get(number, 0.4)
        guess = np.where(wrong, rng.integers(0, 3, (40, 60)), truth)
        truth[:, :3] = IGNORED
        logits = torch.nn.functional.one_hot(torch.from_numpy(guess), 4).permute(2, 0, 1).float() * 2
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(path)
        sample = SegDataSample(metainfo={"img_path": str(path)})
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(truth)[None])
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(guess)[None])
        sample.seg_logits = PixelData(data=logits)
        made.append(sample)
    return made


def evaluator() -> Evaluator:
    found = Evaluator([IoUMetric(ignore_index=IGNORED)])
    found.dataset_meta = METAINFO
    return found


def gathered(samples, merged: bool = False) -> MaskCollector:
    collector = MaskCollector()
    collector.watch(evaluator(), merged)
    for sample in samples:
        collector.add(sample)
    return collector


def findings_of(*collectors: MaskCollector):
    collectors[0].join([collector.state() for collector in collectors])
    return collectors[0].findings(METAINFO, {})


def test_every_class_has_the_figures_of_the_metric(samples):
    result = findings_of(gathered(samples)).task
    areas = [
        IoUMetric.intersect_and_union(sample.pred_sem_seg.data[0], sample.gt_sem_seg.data[0], len(CLASSES), IGNORED)
        for sample in samples
    ]
    theirs = IoUMetric.total_area_to_metrics(*(sum(part) for part in zip(*areas, strict=True)))
    np.testing.assert_allclose([row.iou for row in result.classes], theirs["IoU"], rtol=1e-6)
    np.testing.assert_allclose([row.accuracy for row in result.classes], theirs["Acc"], rtol=1e-6)
    assert np.isnan(result.classes[3].iou)
    assert sum(row.truth for row in result.classes) == pytest.approx(1)
    assert result.pixels == 9 * 40 * 57  # without the ignored ones


def test_the_mean_is_that_of_the_evaluator(samples):
    found = evaluator()
    found.process(samples, None)
    measured = found.evaluate(len(samples))
    assert findings_of(gathered(samples)).task.miou * 100 == pytest.approx(measured["mIoU"], abs=0.006)


def test_worst_and_best_images_are_drawn(samples):
    findings = findings_of(gathered(samples))
    assert findings.task.worst[0].image == "7.png"
    assert findings.task.best[0].image == "4.png"
    assert [case.miou for case in findings.task.worst] == sorted(case.miou for case in findings.task.worst)
    assert [len(findings.examples[name]) for name in ("worst", "best")] == [6, 6]
    assert findings.examples["worst"][0].picture.startswith(b"\xff\xd8\xff")
    assert findings.examples["worst"][0].caption.endswith("7.png")
    assert findings.missing == []


def test_images_that_are_gone_are_told(samples):
    Path(samples[7].metainfo["img_path"]).unlink()
    findings = findings_of(gathered(samples))
    assert findings.missing == ["Pictures: 7.png could not be read again."]
    assert len(findings.examples["worst"]) == 5


def test_ranks_are_joined_to_the_same_figures(samples):
    one = findings_of(gathered(samples)).task
    both = findings_of(gathered(samples[::2]), gathered(samples[1::2])).task
    np.testing.assert_equal([row.iou for row in both.classes], [row.iou for row in one.classes])
    assert both.worst == one.worst
    assert both.miou_bins == one.miou_bins
    assert both.confidence.right == one.confidence.right
    empty = MaskCollector()  # a rank without an image
    assert findings_of(gathered(samples), empty).task.pixels == one.pixels


def test_confidence_is_the_largest_probability(samples):
    confidence = findings_of(gathered(samples)).task.confidence
    probability = float(torch.tensor([2.0, 0, 0, 0]).softmax(0)[0])
    filled = np.flatnonzero(np.array(confidence.right) + np.array(confidence.wrong))
    assert filled.tolist() == [int(probability * 20)]
    assert sum(confidence.right) + sum(confidence.wrong) == 9 * 40 * 57


def test_confidence_of_a_single_class_is_that_of_what_was_predicted():
    """mmseg's threshold is 0.3: a pixel of 0.4 is foreground, with a confidence of 0.4."""
    foreground = torch.tensor([[[0.4, 0.2]]])
    prediction = np.array([[1, 0]])
    found = masks._confidence(foreground, prediction, prediction, np.ones((1, 2), bool))
    assert found.total.sum() == pytest.approx(0.4 + 0.8)


@pytest.mark.parametrize("merged", [True, False])
def test_without_logits_there_is_no_confidence(samples, merged):
    if not merged:
        for sample in samples:
            del sample.seg_logits
    findings = findings_of(gathered(samples, merged=merged))
    assert findings.task.confidence is None
    assert findings.missing[0].startswith("Confidence of pixels: the samples hold no")


def test_without_truth_there_are_no_figures(samples):
    for sample in samples:
        del sample.gt_sem_seg
    findings = findings_of(gathered(samples))
    assert findings.task is None
    assert "no true masks" in findings.missing[0]


def test_memory_does_not_grow_with_the_pixels(samples):
    state = gathered(samples * 3).state()
    assert len(state.mious) == 27
    assert len(state.worst) == len(state.best) == 6
    assert state.confusion.table.shape == (5, 5)
