"""How many keypoints the head gives, the data sets have, and the metrics count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, Finding
from hrnet_plugin.plain import as_list

from .data_sets import DataSet
from .keys import each, join
from .metainfo import described
from .run_config import RunConfig

CHECK = "keypoint-count"
#: Arguments that say how many keypoints a head of mmpose predicts.
_HEAD_COUNTS = ("num_keypoints", "num_joints", "out_channels")
#: Metrics of one data set alone, and the number of its keypoints.
_METRIC_COUNTS = {"CocoWholeBodyMetric": 133, "MpiiPCKAccuracy": 16, "JhmdbPCKAccuracy": 15}


def check_keypoints(run: RunConfig) -> Iterator[Finding]:
    """The number of keypoints at every place that has one."""
    if not run.is_pose or not isinstance(run.model.get("head"), Mapping):
        return
    key, count = _head_count(run)
    for dataset in run.datasets:
        yield from _converters(run, dataset)
        if dataset.split == "train":
            yield from _training(run, dataset, key)
        else:
            yield from _evaluation(run, dataset, key, count)
    yield from _selection(run, count)
    for split, where, metric in run.evaluators():
        yield from _metric(run, split, where, metric)


def _head_count(run: RunConfig) -> tuple[str, int | None]:
    """The key of the head's number of keypoints and that number; None where the head is not known to have one."""
    head = run.model["head"]
    for name in _counts(run, head):
        value = head.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            maps = _maps_per_keypoint(head)
            return join("model.head", name), value // maps if value % maps == 0 else None
    return "model.head", None


def _counts(run: RunConfig, head: Mapping[str, Any]) -> tuple[str, ...]:
    """The arguments that count keypoints: what leaves a head that regresses are their coordinates."""
    home = getattr(run.find("model", head), "__module__", "")
    return _HEAD_COUNTS[:2] if home.startswith("mmpose.models.heads.regression") else _HEAD_COUNTS


def _maps_per_keypoint(head: Mapping[str, Any]) -> int:
    """UDP's combined targets are a classification map and two of offsets a keypoint."""
    codecs = as_list(head.get("decoder"))
    is_combined = any(isinstance(codec, Mapping) and codec.get("heatmap_type") == "combined" for codec in codecs)
    return 3 if is_combined and type_name(head) == "HeatmapHead" else 1


def number_of(run: RunConfig, dataset: DataSet) -> int | None:
    """How many keypoints a sample has after the pipeline; None where the data set does not say."""
    metainfo = described(run, dataset)
    count = metainfo.get("num_keypoints") if metainfo else None
    for _, node in dataset.transforms("KeypointConverter"):
        count = node.get("num_keypoints", count)
    return count


def _training(run: RunConfig, dataset: DataSet, key: str) -> Iterator[Finding]:
    has, given = number_of(run, dataset), run.get(key)
    maps = _maps_per_keypoint(run.model["head"])
    if has is None or not isinstance(given, int) or given == has * maps:
        return
    expected = f"{has * maps}, {f'{maps} maps each ' if maps > 1 else ''}for the {has} keypoints of {_called(dataset)}"
    do = _other_points(run, dataset) or f"Set {key} to {has * maps}"
    yield Finding(ERROR, CHECK, key, str(given), expected, do)


def _other_points(run: RunConfig, dataset: DataSet) -> str:
    """What else may be meant: a class of data sets has its own keypoints until the config gives others."""
    if dataset.node.get("metainfo") or dataset.has("KeypointConverter"):
        return ""
    name = type_name(dataset.node)
    return f"Set it so, or give {dataset.key}.metainfo the keypoints of your own data: {name} has those of its class"


def _evaluation(run: RunConfig, dataset: DataSet, key: str, count: int | None) -> Iterator[Finding]:
    metainfo = described(run, dataset, wrapped=True)
    has = metainfo.get("num_keypoints") if metainfo else None
    selected = run.get("model.test_cfg.output_keypoint_indices")
    given = len(selected) if isinstance(selected, (list, tuple)) else count
    if given is None or has is None or given == has:
        return
    for _, _, metric in run.evaluators(dataset.split):
        if metric.get("pred_converter") or metric.get("gt_converter"):
            return
    if selected is not None:
        where = "model.test_cfg.output_keypoint_indices"
        yield Finding(ERROR, CHECK, where, f"{given} keypoints", f"{has}, those of {type_name(dataset.node)}")
    elif not any(number_of(run, other) == count for other in run.datasets_of("train")):
        return  # told for the training
    else:
        do = "Choose from them with model.test_cfg.output_keypoint_indices, or give both the same keypoints"
        yield Finding(ERROR, CHECK, dataset.key, f"{has} keypoints", f"the {given} that the network predicts", do)


def _called(dataset: DataSet) -> str:
    return f"{type_name(dataset.node)} ({dataset.key})"


def _converters(run: RunConfig, dataset: DataSet) -> Iterator[Finding]:
    metainfo = described(run, dataset)
    has = metainfo.get("num_keypoints") if metainfo else None
    for key, node in dataset.transforms("KeypointConverter"):
        mapping, target = node.get("mapping"), node.get("num_keypoints")
        if not isinstance(mapping, (list, tuple)) or not isinstance(target, int):
            continue
        for source, goal in mapping:
            for point in as_list(source):
                if has is not None and not 0 <= point < has:
                    expected = f"0 to {has - 1}, the keypoints of {type_name(dataset.node)}"
                    yield Finding(ERROR, CHECK, join(key, "mapping"), f"keypoint {point} of the data set", expected)
            if not 0 <= goal < target:
                expected = f"0 to {target - 1} (num_keypoints={target})"
                yield Finding(ERROR, CHECK, join(key, "mapping"), f"keypoint {goal} of the result", expected)
        has = target


def _selection(run: RunConfig, count: int | None) -> Iterator[Finding]:
    key = "model.test_cfg.output_keypoint_indices"
    selected = run.get(key)
    if count is not None and isinstance(selected, (list, tuple)):
        wrong = [index for index in selected if not 0 <= index < count]
        if wrong:
            yield Finding(ERROR, CHECK, key, f"keypoint {wrong[0]}", f"0 to {count - 1}, what the head predicts")


def _metric(run: RunConfig, split: str, key: str, metric: Mapping[str, Any]) -> Iterator[Finding]:
    for dataset in run.datasets_of(split):
        metainfo = described(run, dataset, wrapped=True)
        has = metainfo.get("num_keypoints") if metainfo else None
        wanted = _METRIC_COUNTS.get(type_name(metric))
        if has is not None and wanted not in (None, has):
            found = f"{type_name(metric)}, which counts {wanted} keypoints"
            expected = f"a metric for {has} keypoints, such as CocoMetric or PCKAccuracy"
            yield Finding(ERROR, "metric-fits", join(key, "type"), found, expected)
        chosen = as_list(metric.get("keypoint_indices"))
        wrong = [index for index in chosen if has is not None and not 0 <= index < has]
        if wrong:
            yield Finding(ERROR, CHECK, join(key, "keypoint_indices"), f"keypoint {wrong[0]}", f"0 to {has - 1}")
        for name in ("pred_converter", "gt_converter"):
            for where, converter in each(metric.get(name), join(key, name)):
                yield from _metric_converter(where, converter)


def _metric_converter(key: str, converter: Mapping[str, Any]) -> Iterator[Finding]:
    target, mapping = converter.get("num_keypoints"), converter.get("mapping") or ()
    wrong = [goal for _, goal in mapping if isinstance(target, int) and not 0 <= goal < target]
    if wrong:
        yield Finding(ERROR, CHECK, join(key, "mapping"), f"keypoint {wrong[0]}", f"0 to {target - 1}")
