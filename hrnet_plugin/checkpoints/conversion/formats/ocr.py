"""Segmentation networks of the authors with object-contextual representations (arXiv:1909.11065)."""

from __future__ import annotations

from .rules import Fold, Format, Rename
from .segmentation import BACKBONE, in_place_of, training_of

_THEIR_BLOCK, _OUR_BLOCK = "ocr_distri_head.object_context_block", "decode_head.1.object_context_block"


def _projection(theirs: str, ours: str) -> tuple[Rename, Rename]:
    """A 1x1 convolution and its norm, which stands in a row with its ReLU in the authors' network."""
    row, _, place = theirs.rpartition(".")
    return Rename(f"{theirs}.*", f"{ours}.conv.*"), Rename(f"{row}.{int(place) + 1}.0.*", f"{ours}.bn.*")


OCR = Format(
    name="ocr",
    title="HRNet-Semantic-Segmentation of the authors, with OCR",
    rules=(
        Fold("aux_head.0.bias", "decode_head.0.convs.0.bn.running_mean"),
        Rename("aux_head.0.*", "decode_head.0.convs.0.conv.*"),
        Rename("aux_head.1.*", "decode_head.0.convs.0.bn.*"),
        Rename("aux_head.3.*", "decode_head.0.conv_seg.*"),
        Fold("conv3x3_ocr.0.bias", "decode_head.1.bottleneck.bn.running_mean"),
        Rename("conv3x3_ocr.0.*", "decode_head.1.bottleneck.conv.*"),
        Rename("conv3x3_ocr.1.*", "decode_head.1.bottleneck.bn.*"),
        *_projection(f"{_THEIR_BLOCK}.f_pixel.0", f"{_OUR_BLOCK}.query_project.0"),
        *_projection(f"{_THEIR_BLOCK}.f_pixel.2", f"{_OUR_BLOCK}.query_project.1"),
        *_projection(f"{_THEIR_BLOCK}.f_object.0", f"{_OUR_BLOCK}.key_project.0"),
        *_projection(f"{_THEIR_BLOCK}.f_object.2", f"{_OUR_BLOCK}.key_project.1"),
        *_projection(f"{_THEIR_BLOCK}.f_down.0", f"{_OUR_BLOCK}.value_project"),
        *_projection(f"{_THEIR_BLOCK}.f_up.0", f"{_OUR_BLOCK}.out_project"),
        *_projection("ocr_distri_head.conv_bn_dropout.0", f"{_OUR_BLOCK}.bottleneck"),
        Rename("cls_head.*", "decode_head.1.conv_seg.*"),
        BACKBONE,
    ),
    signs=("stage#.#.branches.*", "aux_head.0.weight", "ocr_distri_head.*", "cls_head.weight"),
    choices={"upsample_mode": "bilinear", "fuse_method": "sum"},
    usual={"align_corners": True},
    advice="keys do not tell align_corners: it is True where MODEL.ALIGN_CORNERS of its config does not say False, and "
    "False in MMSegmentation's configs; set it alike in backbone and both decode_heads",
)
OCR_IN_PLACE = in_place_of(OCR)
OCR_TRAINING, OCR_IN_PLACE_TRAINING = training_of(OCR), training_of(OCR_IN_PLACE)
