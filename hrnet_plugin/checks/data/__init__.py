"""What can be wrong in the data: annotation files, image files, masks."""

from __future__ import annotations

from .coco import check_coco
from .masks import check_masks
from .report import DataReport

__all__ = ["DataReport", "check_coco", "check_masks"]
