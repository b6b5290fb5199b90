"""Metrics against the data that they are to measure, and against what the hooks wait for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.errors import nearest
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.plain import as_list

from .architecture import REFUSED
from .keys import join
from .metainfo import described
from .metrics import IOU_RESULTS, is_known, results_of
from .run_config import RunConfig

FITS = "metric-fits"
#: Frameworks whose metrics read what only their own models and data sets give.
_HOMES = ("mmpose", "mmseg", "mmdet", "mmpretrain")
#: Data sets of mmpose whose annotations have no areas, which COCO's metric reads unless it is told not to.
_WITHOUT_AREA = ("CrowdPoseDataset", "AicDataset")
#: Metrics of one data set alone.
_OF_ONE = {
    "CocoWholeBodyMetric": ("CocoWholeBodyDataset", "UBody2dDataset"),
    "PoseTrack18Metric": ("PoseTrack18Dataset",),
    "MpiiPCKAccuracy": ("MpiiDataset",),
    "JhmdbPCKAccuracy": ("JhmdbDataset",),
}
_WITH_HEAD_SIZE = ("MpiiDataset", "PanopticHand2DDataset")


def check_evaluation(run: RunConfig) -> Iterator[Finding]:
    """Each metric with its data set."""
    for split, key, metric in run.evaluators():
        yield from _home(run, key, metric)
        yield from _measures(run, key, metric)
        if run.is_pose:
            yield from _of_one_data_set(run, split, key, metric)
            yield from _normalisation(run, split, key, metric)
    for split in ("val", "test"):
        yield from _annotations(run, split)
    yield from _same_as_training(run)


def check_best(run: RunConfig) -> Iterator[Finding]:
    """The metric by which checkpoints are chosen, training ends or the learning rate falls, against those there are."""
    waiting = [(join(key, "save_best"), hook.get("save_best")) for key, hook in run.hooks("CheckpointHook")]
    waiting += [(join(key, "monitor"), hook.get("monitor")) for key, hook in run.hooks("EarlyStoppingHook")]
    for key, node in run.schedulers:
        if type_name(node) == "ReduceOnPlateauLR" and "loss" not in str(node.get("monitor", "loss")):
            waiting.append((join(key, "monitor"), node["monitor"]))
    results = [results_of(run.find("metric", metric), metric) for _, _, metric in run.evaluators("val")]
    if type_name(run.get("val_evaluator")) not in ("", "Evaluator") and len(results) != 1:
        return  # an evaluator of another kind may name them anew
    for key, names in waiting:
        for name in as_list(names):
            if not results and run.get("val_dataloader") is None:
                yield Finding(ERROR, "best-metric", key, f"{name!r} without a validation", "a val_evaluator")
            elif name != "auto" and results and None not in results:
                known = {one for some in results for one in some or ()}
                if name not in known:
                    found = f"{name!r}, no result of val_evaluator"
                    yield Finding(ERROR, "best-metric", key, found, do=nearest(name, known))


def _home(run: RunConfig, key: str, metric: Mapping[str, Any]) -> Iterator[Finding]:
    kind = run.find("metric", metric)
    home = getattr(kind, "__module__", "").partition(".")[0]
    if home in _HOMES and run.framework in _HOMES and home != run.framework:
        found = f"{type_name(metric)} of {home}"
        yield Finding(ERROR, FITS, join(key, "type"), found, f"a metric of {run.framework}, whose model this is")


def _measures(run: RunConfig, key: str, metric: Mapping[str, Any]) -> Iterator[Finding]:
    """mmseg stops at a measure that it does not know when the first validation ends."""
    if is_known(run.find("metric", metric)) and type_name(metric) == "IoUMetric":
        for name in as_list(metric.get("iou_metrics")):
            if name not in IOU_RESULTS:
                *others, last = map(repr, IOU_RESULTS)
                found, expected = f"{name!r}, no measure of IoUMetric", f"{', '.join(others)} or {last}"
                yield Finding(ERROR, REFUSED, join(key, "iou_metrics"), found, expected)


def _annotations(run: RunConfig, split: str) -> Iterator[Finding]:
    """The file that a metric compares with, against the one that the data set reads."""
    datasets = run.datasets_of(split)
    files = [
        _path(dataset.node.get("data_root"), dataset.node["ann_file"])
        for dataset in datasets
        if isinstance(dataset.node.get("ann_file"), str)
    ]
    compared = [(key, metric["ann_file"]) for _, key, metric in run.evaluators(split) if metric.get("ann_file")]
    compared = [(key, file) for key, file in compared if isinstance(file, str)]
    if not files or any(dataset.wrappers for dataset in datasets):  # annotations of several may lie in one file
        return
    if any(posixpath.normpath(file) in files for _, file in compared):  # the others may be of another task
        return
    for key, file in compared:
        expected = f"{files[0]}, which {split}_dataloader reads"
        do = "Both have to name one file: results are looked up by the numbers of its pictures"
        yield Finding(ERROR, "metric-annotations", join(key, "ann_file"), file, expected, do)


def _path(root: str | None, file: str) -> str:
    return posixpath.normpath(posixpath.join(root or "", file))


def _of_one_data_set(run: RunConfig, split: str, key: str, metric: Mapping[str, Any]) -> Iterator[Finding]:
    name, datasets = type_name(metric), run.datasets_of(split)
    kinds = [type_name(dataset.node) for dataset in datasets]
    if name == "CocoMetric" and metric.get("use_area", True):
        for kind in (kind for kind in kinds if kind in _WITHOUT_AREA):
            found = f"areas, which annotations of {kind} do not have"
            yield Finding(ERROR, FITS, join(key, "use_area"), found, "False")
    if name == "CocoMetric" and metric.get("iou_type") == "keypoints_crowd" and "CrowdPoseDataset" not in kinds:
        yield Finding(NOTE, FITS, join(key, "iou_type"), f"CrowdPose's for {', '.join(kinds)}", "'keypoints'")
    known = [run.find("data set", dataset.node) for dataset in datasets]
    homes = [getattr(kind, "__module__", "").startswith("mmpose.") for kind in known]
    if name in _OF_ONE and all(homes) and not set(kinds) & set(_OF_ONE[name]) and kinds:
        found = f"{name}, which measures {_OF_ONE[name][0]} alone"
        yield Finding(ERROR, FITS, join(key, "type"), found, f"a metric for {kinds[0]}")


def _normalisation(run: RunConfig, split: str, key: str, metric: Mapping[str, Any]) -> Iterator[Finding]:
    """What errors are divided by: not every data set has it."""
    for dataset in run.datasets_of(split):
        name, kind = type_name(dataset.node), run.find("data set", dataset.node)
        own = getattr(kind, "__module__", "").startswith("mmpose.")
        is_mpii = type_name(metric) == "MpiiPCKAccuracy"
        if "head" in as_list(metric.get("norm_item", "head" if is_mpii else "bbox")):
            if own and name not in _WITH_HEAD_SIZE and not is_mpii:
                found = f"'head', whose size is not annotated in {name}"
                yield Finding(ERROR, FITS, join(key, "norm_item"), found, "'bbox'")
            elif name == "MpiiDataset" and not dataset.node.get("headbox_file"):
                found, expected = "nothing", f"the file of head boxes, by which {type_name(metric)} divides"
                yield Finding(ERROR, FITS, join(dataset.key, "headbox_file"), found, expected)
        if type_name(metric) == "NME" and metric.get("norm_mode") == "keypoint_distance":
            metainfo = described(run, dataset, wrapped=True) or {}
            defaults = getattr(run.find("metric", metric), "DEFAULT_KEYPOINT_INDICES", {})
            if metric.get("keypoint_indices") is None and metainfo.get("dataset_name", "300w") not in defaults:
                expected = f"two keypoints of {metainfo['dataset_name']}, such as the outer corners of the eyes"
                yield Finding(ERROR, FITS, join(key, "keypoint_indices"), "nothing", expected)


def _same_as_training(run: RunConfig) -> Iterator[Finding]:
    trained = {_files(dataset.node): dataset for dataset in run.datasets_of("train")}
    for dataset in run.datasets_of("val", "test"):
        files = _files(dataset.node)
        if files in trained and any(files) and not dataset.node.get("indices"):
            found, do = f"the files of {trained[files].key}", "What is measured is how well they are learnt by heart"
            yield Finding(NOTE, "same-data", dataset.key, found, "others", do)


def _files(node: Mapping[str, Any]) -> tuple:
    """What a data set reads."""
    prefixes = node.get("data_prefix")
    folders = tuple(sorted(prefixes.items())) if isinstance(prefixes, dict) else (prefixes,)
    file = node.get("ann_file") or ""
    # Without a list of its own, a data set reads all that lies in its folder.
    return (_path(node.get("data_root"), file) if file else node.get("data_root"), str(folders), node.get("split"))
