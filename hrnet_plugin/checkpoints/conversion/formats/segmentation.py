"""Segmentation networks of the authors (HRNet-Semantic-Segmentation) without object context, and their variants."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from .rules import Change, Fold, Format, Rename, SetAside

BACKBONE = Rename("*", "backbone.*")

SEG = Format(
    name="seg",
    title="HRNet-Semantic-Segmentation of the authors",
    rules=(
        Fold("last_layer.0.bias", "decode_head.convs.0.bn.running_mean"),
        Rename("last_layer.0.*", "decode_head.convs.0.conv.*"),
        Rename("last_layer.1.*", "decode_head.convs.0.bn.*"),
        Rename("last_layer.3.*", "decode_head.conv_seg.*"),
        BACKBONE,
    ),
    signs=("stage#.#.branches.*", "last_layer.0.weight", "last_layer.3.weight"),
    choices={"upsample_mode": "bilinear", "fuse_method": "sum"},
    usual={"align_corners": False},
    advice="keys do not tell align_corners: it is False, or in branch HRNet-OCR True where MODEL.ALIGN_CORNERS of the "
    "config does not say False; say so with --align-corners, and set it alike in backbone and decode_head",
)


def training_of(known: Format) -> Format:
    """The same network as its training saves it: in one module with the loss, whose class weights are kept."""
    loss, network = "loss.*", "model."
    reason = "class weights of the training loss, no part of the network"
    return replace(
        known,
        name=f"{known.name}-training",
        title=f"{known.name} as its training saves it, beside the loss",
        rules=(SetAside(loss, reason), *(replace(rule, theirs=network + rule.theirs) for rule in known.rules)),
        signs=(loss, *(network + sign for sign in known.signs)),
    )


def in_place_of(known: Format) -> Format:
    """The same network with in-place batch norm (arXiv:1712.02616), as branch `master` has it for torch 0.4.1.

    That norm has no counter, and scales by the magnitude of its weight plus epsilon. Nothing is converted into it,
    since a batch norm's negative weight has no counterpart there.
    """
    rules: list[Fold | Rename | SetAside] = []
    for rule in known.rules:
        if isinstance(rule, Rename):
            last = "*.weight" if rule.theirs == "*" else "weight"
            names = [name.removesuffix("*") + last for name in (rule.theirs, rule.ours)]
            rules.append(Rename(*names, change=Change(forth=_scale, back=_unchanged)))
        rules.append(rule)
    return replace(
        known,
        name=f"{known.name}-inplace",
        title=f"{known.name} with in-place batch norm, of torch 0.4.1",
        rules=tuple(rules),
        absent=("*.num_batches_tracked",),
        source_only=f"Convert to {known.name}, which has the same network with batch norm",
    )


def _scale(weight: Tensor) -> Tensor:
    """What in-place batch norm multiplies by; the weight of a convolution is as it was."""
    epsilon = 1e-5
    return weight.abs() + epsilon if weight.ndim == 1 else weight


def _unchanged(weight: Tensor) -> Tensor:
    return weight


SEG_IN_PLACE = in_place_of(SEG)
SEG_TRAINING, SEG_IN_PLACE_TRAINING = training_of(SEG), training_of(SEG_IN_PLACE)
