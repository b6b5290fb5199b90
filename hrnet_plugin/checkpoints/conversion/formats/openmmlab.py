"""Whole models of the OpenMMLab frameworks. With our backbone their keys are ours; older versions differ."""

from __future__ import annotations

from .rules import Format, Rename

_BOTH = ("HRNet", "LiteHRNet")
_BACKBONE = "backbone.stage#.#.*"
#: mmpose's own words for "these keys are those of 1.x"; without them it would convert some heads once more.
_NOT_OLD = {"": 2, "head": 2}


def _same(*parts: str) -> tuple[Rename, ...]:
    return tuple(Rename(f"{part}.*", f"{part}.*") for part in ("backbone", *parts))


def _framework(name: str, title: str, parts: tuple[str, ...], sign: str, **options: object) -> Format:
    return Format(
        name=name,
        title=title,
        rules=_same(*parts),
        signs=(_BACKBONE, sign),
        networks=_BOTH,
        num_stages=None,
        is_ours=True,
        container="state_dict",
        **options,
    )


MMPOSE = _framework(
    "mmpose",
    "MMPose 1.x",
    ("neck", "head"),
    "head.*",
    refused=("neck.0.increase_layers.*", "neck.0.downsample_layers.*", "neck.0.final_layer.*"),
    choices={"upsample_mode": "nearest"},
    versions=_NOT_OLD,
)
MMSEG = _framework(
    "mmseg",
    "MMSegmentation",
    ("neck", "decode_head", "auxiliary_head"),
    "decode_head.*",
    choices={"upsample_mode": "bilinear"},
)
_DETECTION = ("rpn_head", "roi_head", "bbox_head", "mask_head", "semantic_head", "panoptic_head")
MMDET = _framework(
    "mmdet",
    "MMDetection",
    ("neck", *_DETECTION),
    "|".join(f"{part}.*" for part in _DETECTION),
    choices={"upsample_mode": "nearest"},
)
MMPRETRAIN = _framework(
    "mmpretrain",
    "MMPreTrain, MMClassification",
    ("neck", "head.fc"),
    "head.fc.*|neck.0.increase_layers.*",
    absent=("head.final_layer.*", "head.loss_module.*"),
    choices={"upsample_mode": "nearest"},
)
#: Whatever a framework calls its parts.
OURS = Format(
    name="ours",
    title="a whole model of an OpenMMLab 1.x framework with our backbone",
    rules=_same("neck", "head", "decode_head", "auxiliary_head", *_DETECTION),
    signs=(_BACKBONE,),
    networks=_BOTH,
    num_stages=None,
    is_ours=True,
    container="state_dict",
    versions=_NOT_OLD,
)
BACKBONE = Format(
    name="backbone",
    title="a backbone alone, as in pretrained weights",
    rules=(Rename("*", "backbone.*"),),
    signs=("stage#.#.*",),
    networks=_BOTH,
    num_stages=None,
    container="state_dict",
)
