"""The generated data set: articulated people with COCO keypoints and semantic masks.

`make_dataset` writes one, `read_dataset` reads its summary, `render_scene` draws a single picture. The names are
loaded at first use, since they need numpy and OpenCV.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dataset import DatasetInfo, read_dataset
    from .scene import Person, Scene, render_scene
    from .writer import make_dataset

_HOMES = {
    "DatasetInfo": "dataset",
    "Person": "scene",
    "Scene": "scene",
    "make_dataset": "writer",
    "read_dataset": "dataset",
    "render_scene": "scene",
}

__all__ = ["DatasetInfo", "Person", "Scene", "make_dataset", "read_dataset", "render_scene"]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'hrnet_plugin.data' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
