"""Classification networks: the authors' HRNet-Image-Classification and timm, which took their keys."""

from __future__ import annotations

from .rules import Fold, Format, Rename

_HEAD = (
    Rename("incre_modules.#.*", "neck.0.increase_layers.#.*"),
    Rename("downsamp_modules.#.0.*", "neck.0.downsample_layers.#.conv.*"),
    Rename("downsamp_modules.#.1.*", "neck.0.downsample_layers.#.bn.*"),
    Rename("final_layer.0.*", "neck.0.final_layer.conv.*"),
    Rename("final_layer.1.*", "neck.0.final_layer.bn.*"),
    Rename("classifier.*", "head.fc.*"),
)
#: Both convolutions stand before a norm, so that mmpretrain's have no bias.
_FOLDS = (
    Fold("downsamp_modules.#.0.bias", "neck.0.downsample_layers.#.bn.running_mean"),
    Fold("final_layer.0.bias", "neck.0.final_layer.bn.running_mean"),
)
_BACKBONE = Rename("*", "backbone.*")
_NEAREST = {"upsample_mode": "nearest", "fuse_method": "sum"}

CLS = Format(
    name="cls",
    title="HRNet-Image-Classification of the authors",
    rules=(*_FOLDS, *_HEAD, _BACKBONE),
    signs=("stage#.#.branches.*", "incre_modules.*", "downsamp_modules.#.0.bias|final_layer.0.bias|classifier.*"),
    choices=_NEAREST,
)
TIMM = Format(
    name="timm",
    title="timm, the keys of cls; without a head too (features_only)",
    rules=CLS.rules,
    signs=("stage#.#.branches.*", "incre_modules.*"),
    absent=("final_layer.*",),
    choices=_NEAREST,
)
TIMM_SSLD = Format(
    name="timm-ssld",
    title="timm's hrnet_*_ssld, whose head has no biases",
    rules=(*_HEAD, _BACKBONE),
    signs=("stage#.#.branches.*", "downsamp_modules.#.0.weight"),
    absent=("downsamp_modules.#.0.bias", "final_layer.0.bias"),
    choices=_NEAREST,
)
#: The ImageNet weights that the authors published with the pose networks (`hrnet_w32-36af842e.pth`).
CLS_EARLY = Format(
    name="cls-early",
    title="the authors' first classification networks, from which pose networks start",
    rules=(
        Fold("head.1.#.0.bias", "neck.0.downsample_layers.#.bn.running_mean"),
        Fold("head.2.0.bias", "neck.0.final_layer.bn.running_mean"),
        Rename("head.0.#.*", "neck.0.increase_layers.#.*"),
        Rename("head.1.#.0.*", "neck.0.downsample_layers.#.conv.*"),
        Rename("head.1.#.1.*", "neck.0.downsample_layers.#.bn.*"),
        Rename("head.2.0.*", "neck.0.final_layer.conv.*"),
        Rename("head.2.1.*", "neck.0.final_layer.bn.*"),
        Rename("fc.*", "head.fc.*"),
        _BACKBONE,
    ),
    signs=("stage#.#.branches.*", "head.0.#.*", "head.2.#.*"),
    choices=_NEAREST,
)
