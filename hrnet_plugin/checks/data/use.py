"""What a config does with a data set: whether images alone will do, and which metrics divide by its areas."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
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


def use_of_boxes(evaluator: Any, split: str, dataset: Mapping[str, Any], built: Any) -> Use:
    """What mmdet does with a data set of a split; as :func:`use_of_poses`."""
    if split == "train":
        return Use(_LEARNT)
    return Use(_measured(_comparing(evaluator, dataset, built)))


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
    comparing = _comparing(evaluator, dataset, built)
    # PoseTrack's own tool knows no areas.
    by_area = [
        kind for kind, metric in comparing if metric.get("use_area", True) and not _is(kind, "PoseTrack18Metric")
    ]
    return Use(needs or _measured(comparing), tuple(dict.fromkeys(kind.__name__ for kind in by_area)))


def _comparing(evaluator: Any, dataset: Mapping[str, Any], built: Any) -> list[tuple[type, dict]]:
    """The metrics, each a class and its config, that compare predictions with the annotations of a data set's file."""
    found = []
    for metric in _metrics_of(evaluator, type_name(dataset)):
        own = metric.get("ann_file")  # without one, that of the data set is read
        same = not own or os.path.abspath(own) == os.path.abspath(built.ann_file)
        kind = _class_of(metric) if same and "type" in metric and not metric.get("format_only") else None
        if _is(kind, "CocoMetric"):
            found.append((kind, metric))
    return found


def _measured(comparing: Sequence[tuple[type, dict]]) -> str:
    """Why a measured split needs annotations; empty where nothing compares with them."""
    names = " and ".join(dict.fromkeys(kind.__name__ for kind, _ in comparing))
    return names and f"{names} of the config compares with them; with `format_only=True` it only writes predictions"


def _metrics_of(evaluator: Any, owner: str) -> Iterator[dict]:
    """The metrics that measure a data set of the class `owner`, each as a config."""
    for node in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        if isinstance(node, dict) and type_name(node) == "MultiDatasetEvaluator":
            pairs = zip(node.get("datasets") or (), node.get("metrics") or (), strict=False)
            yield from (inner for one, metric in pairs if type_name(one) == owner for inner in dicts_in(metric))
        else:
            yield from dicts_in(node)


def _class_of(metric: Mapping[str, Any]) -> object:
    try:
        return find_class("metric", metric["type"], metric.get("_scope_"))
    except Unavailable:
        return None


def _is(kind: object, name: str) -> bool:
    """Whether it is the class of this name, in whichever framework, or made from it."""
    return isinstance(kind, type) and any(base.__name__ == name for base in kind.__mro__)
