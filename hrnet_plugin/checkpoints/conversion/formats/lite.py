"""Lite-HRNet of the authors (arXiv:2104.06403): an extension of MMPose 0.x."""

from __future__ import annotations

from .rules import Format, Rename

LITE = Format(
    name="lite",
    title="Lite-HRNet of the authors",
    rules=(
        Rename("backbone.*", "backbone.*"),
        Rename("keypoint_head.final_layer.*", "head.final_layer.*"),
    ),
    signs=("backbone.stage#.#.layers.*", "backbone.stem.*", "keypoint_head.final_layer.*"),
    networks=("LiteHRNet",),
    num_stages=None,
    container="state_dict",
)
