"""Where the persons of an image are: given in a file, found by a detector, or one that fills the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .sources import Source

#: COCO's own, and that of persons whose category nobody names.
PERSON = {"id": 1, "name": "person", "supercategory": "person"}


@dataclass(frozen=True)
class Persons:
    """The persons of one image, before their poses are known.

    Args:
        boxes: (P, 4), x1, y1, x2, y2 in pixels; None for one person that fills the image.
        scores: How sure each box is, 0 to 1; empty where nobody says.
        categories: The category's id of each; empty where all are persons.
        image_id: By which the file of boxes knows the image.
        size: (width, height) that the file of boxes names.
    """

    boxes: np.ndarray | None = None
    scores: tuple[float, ...] = ()
    categories: tuple[int, ...] = ()
    image_id: int | None = None
    size: tuple[int, int] | None = None


class PersonSource(Protocol):
    """Finds persons in images."""

    #: COCO's categories of the persons.
    categories: Sequence[dict]

    def has(self, source: Source) -> bool:
        """Whether something is known of an image or video, before it is opened."""

    def find(self, source: Source, frames: Sequence[int | None], images: Sequence[np.ndarray]) -> list[Persons]:
        """The persons of images or of frames of a video.

        Args:
            source: Where they are from.
            frames: Their numbers in a video; None for an image.
            images: (H, W, 3) in BGR.
        """


@dataclass(frozen=True)
class WholeImages:
    """Each image is one person."""

    categories: Sequence[dict] = field(default_factory=lambda: [PERSON])

    def has(self, source: Source) -> bool:
        """Always."""
        return True

    def find(self, source: Source, frames: Sequence[int | None], images: Sequence[np.ndarray]) -> list[Persons]:
        """One person an image, as large as it is."""
        return [Persons() for _ in images]
