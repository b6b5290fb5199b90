"""Top-down pose networks of the authors: deep-high-resolution-net."""

from __future__ import annotations

from .rules import Format, Rename

POSE = Format(
    name="pose",
    title="deep-high-resolution-net of the authors (top-down pose)",
    rules=(Rename("final_layer.*", "head.final_layer.*"), Rename("*", "backbone.*")),
    signs=("stage#.#.branches.*", "final_layer.weight"),
    choices={"upsample_mode": "nearest", "fuse_method": "sum"},
)
