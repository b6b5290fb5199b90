"""What a test shows of its samples, gathered for the page of `hrnet test --report`."""

from __future__ import annotations

from .collector import Collector
from .hook import ReportHook

__all__ = ["ReportHook", "collector_of"]


def collector_of(task: str) -> Collector:
    """What gathers the numbers of a task: pose, segmentation or classification."""
    if task == "pose":
        from .poses import PoseCollector

        return PoseCollector()
    if task == "segmentation":
        from .masks import MaskCollector

        return MaskCollector()
    from .labels import LabelCollector

    return LabelCollector()
