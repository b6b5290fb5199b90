"""The formats that are known, by name. The first one that fits a checkpoint's keys is taken for its format."""

from __future__ import annotations

from collections.abc import Mapping

from .classification import CLS, CLS_EARLY, TIMM, TIMM_SSLD
from .face import FACE
from .higherhrnet import HIGHERHRNET
from .lite import LITE
from .mmpose_old import MMPOSE_OLD, MMPOSE_OLD_ROW
from .ocr import OCR, OCR_IN_PLACE, OCR_IN_PLACE_TRAINING, OCR_TRAINING
from .openmmlab import BACKBONE, MMDET, MMPOSE, MMPRETRAIN, MMSEG, OURS
from .pose import POSE
from .rules import Change, Fold, Format, Rename, SetAside
from .segmentation import SEG, SEG_IN_PLACE, SEG_IN_PLACE_TRAINING, SEG_TRAINING

FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        TIMM_SSLD, CLS, TIMM, CLS_EARLY, POSE,
        OCR_IN_PLACE, OCR, OCR_IN_PLACE_TRAINING, OCR_TRAINING,
        SEG_IN_PLACE, SEG, SEG_IN_PLACE_TRAINING, SEG_TRAINING,
        FACE, HIGHERHRNET, LITE,
        MMPOSE_OLD_ROW, MMPOSE_OLD, MMSEG, MMDET, MMPRETRAIN, MMPOSE, OURS,
        BACKBONE,
    )
}  # fmt: skip

__all__ = ["FORMATS", "Change", "Fold", "Format", "Rename", "SetAside"]
