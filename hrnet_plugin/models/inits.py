"""Initialisations by name, as mmengine's `init_cfg`."""

from __future__ import annotations

from collections.abc import Mapping

_NORM_TO_ONE = {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]}
#: He et al. (arXiv:1502.01852), and the narrow normal of the pose networks.
INITS: Mapping[str, list[dict]] = {
    "kaiming": [{"type": "Kaiming", "layer": "Conv2d"}, _NORM_TO_ONE],
    "normal": [{"type": "Normal", "std": 0.001, "layer": ["Conv2d"]}, _NORM_TO_ONE],
}
