"""The checkpoint files that a training leaves in a folder, by their names."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from .sums import is_sum

#: The names under which mmengine saves where the config says nothing, and a stopped training always does.
_USUAL = ("epoch_{}.pth", "iter_{}.pth")
_FIELD = re.compile(r"\{[^{}]*\}")


def saved_files(folder: str | Path, template: str | None = None) -> list[Path]:
    """All checkpoint files of a folder, whoever wrote them.

    Args:
        folder: Not its subfolders.
        template: `filename_tmpl` of the checkpoint hook; its files are found whatever they end with.
    """
    patterns = ["*.pth"] + ([_FIELD.sub("*", glob.escape(template))] if template else [])
    found = {path for pattern in patterns for path in Path(folder).glob(pattern)}
    return sorted(path for path in found if path.is_file() and not is_sum(path) and not path.name.startswith("."))


def is_of_training(name: str, template: str | None = None) -> bool:
    """Whether a file has a name that a checkpoint hook gives: one that was due, a best one, a published one.

    >>> [is_of_training(name) for name in ("epoch_3.pth", "best_coco_AP_epoch_12.pth", "hrnet_w32-36af842e.pth")]
    [True, True, False]
    """
    return any(re.fullmatch(_names(known), name) for known in (*_USUAL, *([template] if template else [])))


def _names(template: str) -> str:
    body = r"\d+".join(map(re.escape, _FIELD.split(template)))
    stem = re.escape(Path(template).suffix)
    published = rf"{body.removesuffix(stem)}-[0-9a-f]{{8}}\.pth"
    return rf"(?:best_.+_)?(?:{body}|{published})"
