"""Pictures with a label map beside each, for semantic segmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .pictures import SIZE, draw_shapes, fill, write_image
from .plan import Plan

_IMAGES = 3
_IGNORED = 255


def write_class_maps(plan: Plan) -> None:
    """Write the pictures, label maps and, where the config names one, the list of a segmentation data set.

    Raises:
        OSError: a file cannot be written.
    """
    names = [f"{number:06d}" for number in range(1, _IMAGES + 1)]
    plan.folder("img_path").mkdir(parents=True, exist_ok=True)  # some data sets ask for it when they are built
    if plan.dataset.get("ann_file"):
        plan.annotations.parent.mkdir(parents=True, exist_ok=True)
        plan.annotations.write_text("\n".join(names) + "\n", encoding="utf-8")
    dataset = plan.built
    # Where 0 means "no class", the first class is 1.
    values = np.arange(len(plan.metainfo["classes"])) + int(dataset.reduce_zero_label)
    for index, name in enumerate(names):
        picture, labels = _labelled(plan, index, values)
        write_image(_beside(plan.folder("img_path"), name, dataset.img_suffix), picture)
        write_image(_beside(plan.folder("seg_map_path"), name, dataset.seg_map_suffix), labels)


def _labelled(plan: Plan, index: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its labels, (H, W) uint8; some pixels belong to no class."""
    rng = plan.generator(index)
    picture, outlines = draw_shapes(rng, 6)
    drawn = rng.choice(values, len(outlines) + 1, replace=len(values) <= len(outlines))
    labels = np.full((SIZE[1], SIZE[0]), drawn[0], np.uint8)
    for outline, value in zip(outlines, drawn[1:], strict=True):
        fill(labels, outline, int(value))
    labels[:3] = _IGNORED
    return picture, labels


def _beside(folder: Path, name: str, ending: str) -> Path:
    return folder / f"{name}{ending}"
