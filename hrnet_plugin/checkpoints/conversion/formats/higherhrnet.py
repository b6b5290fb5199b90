"""HigherHRNet of the authors (arXiv:1908.10357), whose head is ours by its names."""

from __future__ import annotations

from .rules import Format, Rename

HIGHERHRNET = Format(
    name="higherhrnet",
    title="HigherHRNet-Human-Pose-Estimation of the authors",
    rules=(
        Rename("final_layers.*", "head.final_layers.*"),
        Rename("deconv_layers.*", "head.deconv_layers.*"),
        Rename("*", "backbone.*"),
    ),
    signs=("stage#.#.branches.*", "final_layers.#.weight", "deconv_layers.#.*"),
    choices={"upsample_mode": "nearest", "fuse_method": "sum"},
)
