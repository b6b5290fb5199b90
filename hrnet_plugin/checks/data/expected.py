"""What a config knows of its data: names of keypoints or classes, and how many sigmas and weights there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hrnet_plugin.analysis.skeleton import Skeleton


@dataclass(frozen=True)
class Expected:
    """What the annotations should fit.

    Args:
        keypoints: Names of the keypoints, in order; empty where nothing is known.
        sigmas, weights: How many there are; None where nothing is known.
        classes: Names of the classes.
        skeleton: How a pose is drawn.
    """

    keypoints: tuple[str, ...] = ()
    sigmas: int | None = None
    weights: int | None = None
    classes: tuple[str, ...] = ()
    skeleton: Skeleton | None = None

    @classmethod
    def from_metainfo(cls, metainfo: Mapping[str, Any]) -> Expected:
        """What a data set's metainfo says, parsed or as a config states it.

        Raises:
            DataError: it describes a pose that cannot be read.
        """
        classes = metainfo.get("classes") or ()
        if not any(key in metainfo for key in ("keypoint_id2name", "keypoint_info", "from_file")):
            return cls(classes=tuple(classes))
        skeleton = Skeleton.from_metainfo(metainfo)
        weights = metainfo.get("dataset_keypoint_weights", metainfo.get("joint_weights"))
        return cls(skeleton.names, _length(metainfo.get("sigmas")), _length(weights), (), skeleton)


def _length(values: Any) -> int | None:
    # mmpose's own data sets that are not measured by OKS have none.
    return None if values is None or not len(values) else len(values)
