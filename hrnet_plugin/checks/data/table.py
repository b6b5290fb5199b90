"""An annotation file as columns: checks of a hundred thousand annotations are a few operations on arrays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .columns import lengths, numbers, rows_of_numbers
from .reading import AnnotationFile


@dataclass(frozen=True, eq=False)
class CocoTable:
    """M images and N annotations.

    Args:
        path: The annotation file.
        images, annotations, categories: Rows in COCO's form.
        sizes: (M, 2) width and height of the images in pixels; NaN where they are not known, or known to be wrong.
        mpii, joined: See :class:`AnnotationFile`.
        wanted: How many keypoints the config knows; 0 without a config.
    """

    path: Path
    images: Sequence[dict[str, Any]]
    annotations: Sequence[dict[str, Any]]
    categories: Sequence[dict[str, Any]]
    sizes: np.ndarray
    mpii: bool = False
    joined: bool = False
    wanted: int = 0

    @classmethod
    def of(cls, file: AnnotationFile, wanted: int = 0) -> CocoTable:
        """The columns of a file."""
        sizes = np.column_stack([numbers([row.get(side) for row in file.images]) for side in ("width", "height")])
        sizes[~(sizes > 0).all(1)] = np.nan
        return cls(file.path, file.images, file.annotations, file.categories, sizes, file.mpii, file.joined, wanted)

    def column(self, field: str) -> list[Any]:
        """A field of each annotation; None where it is not there."""
        return [row.get(field) for row in self.annotations]

    @cached_property
    def file_names(self) -> list[str | None]:
        """Of each image; None where there is none."""
        names = [row.get("file_name") for row in self.images]
        return [name if isinstance(name, str) and name else None for name in names]

    @cached_property
    def image_of(self) -> np.ndarray:
        """(N,) position of each annotation's image; -1 where there is none of that id."""
        places = {key(row.get("id")): place for place, row in reversed(list(enumerate(self.images)))}
        found = (places.get(key(value), -1) for value in self.column("image_id"))
        return np.fromiter(found, np.int64, len(self.annotations))

    @cached_property
    def image_sizes(self) -> np.ndarray:
        """(N, 2) width and height of each annotation's image; NaN where they are not known."""
        known = np.vstack([self.sizes, np.full((1, 2), np.nan)])
        return known[self.image_of]

    @cached_property
    def boxes(self) -> np.ndarray:
        """(N, 4) x, y, width, height; NaN where there is no box, or something else."""
        return rows_of_numbers(self.column("bbox"), 4)

    @cached_property
    def areas(self) -> np.ndarray:
        """(N,) `area`; NaN where there is none."""
        return numbers(self.column("area"))

    @cached_property
    def crowds(self) -> np.ndarray:
        """(N,) bool: marked as a crowd."""
        return np.nan_to_num(numbers(self.column("iscrowd"))) > 0

    @cached_property
    def lengths(self) -> np.ndarray:
        """(N,) how many numbers `keypoints` holds; -1 where it is absent or no list."""
        return lengths(self.column("keypoints"))

    @cached_property
    def named(self) -> list[int]:
        """How many keypoints each category names, those without names left out."""
        return [len(row["keypoints"]) for row in self.categories if isinstance(row.get("keypoints"), list)]

    @cached_property
    def count(self) -> int:
        """K: how many keypoints an annotation should have, by the file itself; 0 without keypoints.

        Where the annotations and their category disagree, the config decides, and else the category.
        """
        held = self.lengths[self.lengths > 0] // 3
        if not len(held):
            return 0
        usual = int(np.bincount(held).argmax())
        if self.joined or not self.named or usual == self.wanted:
            return usual
        return max(set(self.named), key=self.named.count)

    @cached_property
    def keypoints(self) -> np.ndarray:
        """(N, K, 3) x, y, visibility; zero where there are none, or another number, or some that are not finite."""
        values = np.zeros((len(self.annotations), self.count, 3))
        values[self.well_formed] = self._listed[self.well_formed]
        return values

    @cached_property
    def well_formed(self) -> np.ndarray:
        """(N,) bool: K keypoints, all numbers finite."""
        return (self.lengths == 3 * self.count) & np.isfinite(self._listed).all((1, 2)) & (self.lengths > 0)

    @cached_property
    def labelled(self) -> np.ndarray:
        """(N, K) bool: visibility above 0."""
        return self.keypoints[..., 2] > 0

    @cached_property
    def has_labels(self) -> np.ndarray:
        """(N,) bool: at least one keypoint is labelled."""
        return self.labelled.any(1)

    def image_name(self, place: int) -> str:
        """How an image is told: its file, or its id."""
        return self.file_names[place] or f"image {self.images[place].get('id')}"

    def annotation_name(self, place: int) -> str:
        """How an annotation is told: its id and its image's file."""
        image = int(self.image_of[place])
        row = self.annotations[place]
        return f"annotation {row.get('id')} ({self.image_name(image) if image >= 0 else row.get('image_id')})"

    @cached_property
    def _listed(self) -> np.ndarray:
        values = rows_of_numbers(self.column("keypoints"), 3 * self.count)
        return values.reshape(len(self.annotations), self.count, 3)


def key(value: Any) -> Hashable:
    """An id as something to look up, whatever it is."""
    return value if isinstance(value, Hashable) else repr(value)
