"""The formats that are known, by name. The first one that fits a checkpoint's keys is taken for its format."""

from __future__ import annotations

from collections.abc import Mapping

from .classification import CLS, CLS_EARLY, TIMM, TIMM_SSLD
from .openmmlab import BACKBONE, MMDET, MMPOSE, MMPRETRAIN, MMSEG, OURS
from .pose import POSE
from .rules import Change, Fold, Format, Rename, SetAside

FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        TIMM_SSLD, CLS, TIMM, CLS_EARLY, POSE,
        MMSEG, MMDET, MMPRETRAIN, MMPOSE, OURS,
        BACKBONE,
    )
}  # fmt: skip

__all__ = ["FORMATS", "Change", "Fold", "Format", "Rename", "SetAside"]
