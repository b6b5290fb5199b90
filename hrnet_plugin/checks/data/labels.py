"""How the values of masks are to be understood."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """How the values of masks are to be understood.

    Args:
        classes: Names of the classes; the first has the value 0, or 1 with `zero_is_none`.
        ignored: The value that is not learnt.
        zero_is_none: 0 is no class (`reduce_zero_label` of mmseg).
        palettes: Masks with a palette are read as indices.
        palette: RGB colour of each class, for drawing; empty for any.
    """

    classes: tuple[str, ...]
    ignored: int = 255
    zero_is_none: bool = False
    palettes: bool = True
    palette: tuple[tuple[int, int, int], ...] = ()

    def class_of(self, value: int) -> int | None:
        """The class of a value, -1 for one that is not learnt, None for one that is none."""
        place = value - self.zero_is_none
        if value == self.ignored or (self.zero_is_none and value == 0):
            return -1
        return place if 0 <= place < len(self.classes) else None
