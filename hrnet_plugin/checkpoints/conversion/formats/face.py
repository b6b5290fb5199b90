"""Face landmark networks of the authors: HRNet-Facial-Landmark-Detection."""

from __future__ import annotations

from .rules import Format, Rename

#: The head's first convolution keeps its bias: MMPose's stands before its norm with one too.
FACE = Format(
    name="face",
    title="HRNet-Facial-Landmark-Detection of the authors",
    rules=(
        Rename("head.0.*", "head.conv_layers.0.*"),
        Rename("head.1.*", "head.conv_layers.1.*"),
        Rename("head.3.*", "head.final_layer.*"),
        Rename("*", "backbone.*"),
    ),
    signs=("stage#.#.branches.*", "head.0.weight", "head.3.weight"),
    choices={"upsample_mode": "bilinear", "align_corners": False, "fuse_method": "sum"},
)
