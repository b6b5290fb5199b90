"""Pictures with a class each, in ImageNet's layout, for classification."""

from __future__ import annotations

from .pictures import draw_shapes, write_image
from .plan import Plan

_IMAGES = 4


def write_labelled_pictures(plan: Plan) -> None:
    """Write the pictures of a classification data set and the list of their classes, which are drawn at random.

    Raises:
        OSError: a file cannot be written.
    """
    split = plan.dataset.get("split", "train")
    prefix = plan.dataset.get("data_prefix") or split
    classes = len(plan.metainfo["classes"])
    lines = []
    for number in range(_IMAGES):
        rng = plan.generator(number)
        name = f"{number:06d}.JPEG"
        write_image(plan.root / prefix / name, draw_shapes(rng, 3)[0])
        lines.append(f"{name} {rng.integers(classes)}")
    path = plan.root / (plan.dataset.get("ann_file") or f"meta/{split}.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
