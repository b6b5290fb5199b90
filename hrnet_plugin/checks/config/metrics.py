"""The names of the results that a metric gives, told from its config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hrnet_plugin.plain import as_list

_COCO = ("AP", "AP .5", "AP .75", "AP (M)", "AP (L)", "AR", "AR .5", "AR .75", "AR (M)", "AR (L)")
_CROWD = ("AP", "AP .5", "AP .75", "AR", "AR .5", "AR .75", "AP(E)", "AP(M)", "AP(H)")
_POSETRACK = ("Head AP", "Shou AP", "Elb AP", "Wri AP", "Hip AP", "Knee AP", "Ankl AP", "AP")
_MPII = (
    *("Head PCK", "Shoulder PCK", "Elbow PCK", "Wrist PCK", "Hip PCK", "Knee PCK", "Ankle PCK"),
    *("PCK", "PCK@0.1"),
)
_JHMDB = ("Head", "Sho", "Elb", "Wri", "Hip", "Knee", "Ank")
_DETECTION = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")
_PCK = {"bbox": "PCK", "head": "PCKh", "torso": "tPCK"}
#: The measures of mmseg's `IoUMetric` by the names that its `iou_metrics` takes.
IOU_RESULTS = {
    "mIoU": ("mIoU", "mAcc"),
    "mDice": ("mDice", "mAcc"),
    "mFscore": ("mFscore", "mPrecision", "mRecall"),
}


def results_of(kind: Callable | None, metric: Mapping[str, Any]) -> frozenset[str] | None:
    """The names of a metric's results with its prefix before them; None where they are not known.

    Args:
        kind: The class of the metric.
        metric: Its config.
    """
    reader = _READERS.get(_home_and_name(kind))
    names = reader(metric) if reader else None
    if names is None:
        return None
    prefix = metric.get("prefix") or getattr(kind, "default_prefix", None)
    return frozenset(f"{prefix}/{name}" if prefix else name for name in names)


def is_known(kind: Callable | None) -> bool:
    """Whether it is a metric whose results are told here."""
    return _home_and_name(kind) in _READERS


def _home_and_name(kind: Callable | None) -> tuple[str, str]:
    return getattr(kind, "__module__", "").partition(".")[0], getattr(kind, "__name__", "")


def _coco(metric: Mapping[str, Any]) -> tuple[str, ...]:
    return _CROWD if metric.get("iou_type") == "keypoints_crowd" else _COCO


def _detection(metric: Mapping[str, Any]) -> tuple[str, ...] | None:
    kinds = as_list(metric.get("metric", "bbox"))
    if metric.get("classwise") or metric.get("metric_items") or not set(kinds) <= {"bbox", "segm"}:
        return None
    return tuple(f"{kind}_{name}" for kind in kinds for name in _DETECTION)


def _pck(metric: Mapping[str, Any]) -> tuple[str, ...] | None:
    items = as_list(metric.get("norm_item", "bbox"))
    return tuple(_PCK[item] for item in items) if set(items) <= _PCK.keys() else None


def _jhmdb(metric: Mapping[str, Any]) -> tuple[str, ...] | None:
    measures = _pck(metric)
    return measures and tuple(f"{part} {name}" for name in measures for part in _JHMDB) + measures


def _iou(metric: Mapping[str, Any]) -> tuple[str, ...] | None:
    kinds = as_list(metric.get("iou_metrics", ["mIoU"]))
    if not set(kinds) <= IOU_RESULTS.keys():
        return None
    return ("aAcc", *(name for kind in kinds for name in IOU_RESULTS[kind]))


def _accuracy(metric: Mapping[str, Any]) -> tuple[str, ...] | None:
    return None if metric.get("thrs") else tuple(f"top{count}" for count in as_list(metric.get("topk", (1,))))


_READERS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], tuple[str, ...] | None]] = {
    ("mmpose", "CocoMetric"): _coco,
    ("mmpose", "CocoWholeBodyMetric"): lambda metric: _COCO,
    ("mmpose", "PoseTrack18Metric"): lambda metric: _POSETRACK,
    ("mmpose", "PCKAccuracy"): _pck,
    ("mmpose", "MpiiPCKAccuracy"): lambda metric: _MPII,
    ("mmpose", "JhmdbPCKAccuracy"): _jhmdb,
    ("mmpose", "AUC"): lambda metric: ("AUC",),
    ("mmpose", "EPE"): lambda metric: ("EPE",),
    ("mmpose", "NME"): lambda metric: ("NME",),
    ("mmseg", "IoUMetric"): _iou,
    ("mmdet", "CocoMetric"): _detection,
    ("mmpretrain", "Accuracy"): _accuracy,
}
