"""What a config does with a data set: whether images alone will do, and which metrics divide by its areas."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrnet_plugin.checks.config.lookup import Unavailable, find_class
from hrnet_plugin.config_tree import dicts_in, type_name

_LEARNT = "The training learns from them"
_PERSONS = "Without a file of boxes (`bbox_file` of the data set), mmpose takes the persons from them"
_TESTED = "Images without any are left out, unless `test_mode` of the data set is True"


@dataclass(frozen=True)
class Use:
    """What is done with the annotations of a data set.

    Args:
        needs: Why there must be some, as a sentence without the final stop; empty where images alone will do.
        by_area: Names of the metrics that divide by the `area` of each.
    """

    needs: str = ""
    by_area: tuple[str, ...] = ()

    def __or__(self, other: Use) -> Use:
        """What either does."""
        return Use(self.needs or other.needs, tuple(dict.fromkeys((*self.by_area, *other.by_area))))


def use_of_boxes(split: str) -> Use:
    """What mmdet does with a data set of a split."""
    return Use(_LEARNT if split == "train" else "")


def use_of_poses(evaluator: Any, split: str, dataset: Mapping[str, Any], built: Any) -> Use:
    """What mmpose does with a data set of a split.

    Args:
        evaluator: Of the split, as the config has it.
        split: `train`, `val` or `test`.
        dataset: Its config.
        built: The data set, without its samples.
    """
    if split == "train":
        return Use(_LEARNT)
    if built.data_mode == "bottomup":
        needs = "" if built.test_mode else _TESTED
    else:
        boxes = dataset.get("bbox_file")
        needs = "" if boxes and ("://" in boxes or Path(boxes).is_file()) else _PERSONS
    metrics = _metrics_of(evaluator, type_name(dataset))
    by_area = [type_name(metric) for metric in metrics if _divides_by_area(metric, built.ann_file)]
    return Use(needs, tuple(dict.fromkeys(by_area)))


def _metrics_of(evaluator: Any, owner: str) -> Iterator[dict]:
    """The metrics that measure a data set of the class `owner`, each as a config."""
    for node in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        if isinstance(node, dict) and type_name(node) == "MultiDatasetEvaluator":
            pairs = zip(node.get("datasets") or (), node.get("metrics") or (), strict=False)
            yield from (inner for one, metric in pairs if type_name(one) == owner for inner in dicts_in(metric))
        else:
            yield from dicts_in(node)


def _divides_by_area(metric: Mapping[str, Any], ann_file: str) -> bool:
    """Whether a metric reads the `area` of each annotation of a file."""
    if "type" not in metric or metric.get("format_only") or metric.get("use_area") is False:
        return False
    own = metric.get("ann_file")  # without one mmpose reads the data set's
    if own and os.path.abspath(own) != os.path.abspath(ann_file):
        return False
    from mmpose.evaluation.metrics import CocoMetric, PoseTrack18Metric

    try:
        kind = find_class("metric", metric["type"], metric.get("_scope_"))
    except Unavailable:
        return False
    # PoseTrack's own tool knows no areas.
    return isinstance(kind, type) and issubclass(kind, CocoMetric) and not issubclass(kind, PoseTrack18Metric)
