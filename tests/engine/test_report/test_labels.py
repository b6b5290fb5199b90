"""Classes of images against mmpretrain's own metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.evaluation import Accuracy, SingleLabelMetric
from mmpretrain.structures import DataSample
from PIL import Image

from hrnet_plugin.engine.test_report.labels import LabelCollector

METAINFO = {"classes": ("cat", "dog", "cow")}


@pytest.fixture
def samples(tmp_path: Path) -> list[DataSample]:
    generator = torch.Generator().manual_seed(4)
    made = []
    for number in range(40):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.full((20, 30, 3), 6 * number, np.uint8)).save(path)
        true = number % 3
        scores = torch.rand(3, generator=generator)
        scores[true] += 0.4
        made.append(DataSample(metainfo={"img_path": str(path)}).set_gt_label(true).set_pred_score(scores.softmax(0)))
    return made


def findings_of(*parts):
    collectors = [LabelCollector() for _ in parts]
    for collector, part in zip(collectors, parts, strict=True):
        for sample in part:
            collector.add(sample)
    collectors[0].join([collector.state() for collector in collectors])
    return collectors[0].findings(METAINFO, {})


def test_figures_are_those_of_mmpretrain(samples):
    result = findings_of(samples).task
    evaluator = Evaluator([Accuracy(), SingleLabelMetric(average=None, items=("precision", "recall"))])
    evaluator.process(samples, None)
    theirs = evaluator.evaluate(len(samples))
    assert 100 * result.accuracy == pytest.approx(theirs["accuracy/top1"])
    np.testing.assert_allclose(
        [100 * row.accuracy for row in result.classes], theirs["single-label/recall_classwise"], rtol=1e-5
    )
    np.testing.assert_allclose(
        [100 * row.precision for row in result.classes], theirs["single-label/precision_classwise"], rtol=1e-5
    )


def test_the_most_confident_mistakes_are_shown(samples):
    findings = findings_of(samples)
    sure = [case.confidence for case in findings.task.mistakes]
    assert sure == sorted(sure, reverse=True)
    assert len(findings.examples["mistakes"]) == len(sure) > 2
    assert all(case.true != case.predicted for case in findings.task.mistakes)
    assert findings.task.mistakes[0].image in findings.examples["mistakes"][0].caption


def test_ranks_are_joined_to_the_same_figures(samples):
    one, both = findings_of(samples).task, findings_of(samples[::2], samples[1::2]).task
    np.testing.assert_equal(both.confusion, one.confusion)
    assert both.mistakes == one.mistakes


def test_labels_beyond_the_names_get_names(samples):
    samples[0].set_gt_label(4)
    names = [row.name for row in findings_of(samples).task.classes]
    assert names == ["cat", "dog", "cow", "class 3", "class 4"]


def test_several_labels_an_image_are_told(samples):
    several = [sample.set_gt_label([0, 1]) for sample in samples]
    assert "do not hold one true class" in findings_of(several).missing[0]
