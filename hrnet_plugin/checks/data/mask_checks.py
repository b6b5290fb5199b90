"""What can be wrong in single masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hrnet_plugin.findings import ERROR, NOTE

from .faults import Kind
from .labels import Labels
from .mask_files import Mask
from .pictures import BROKEN, BROKEN_FILES, MISSING, UNREADABLE

_BROKEN_MASKS = {
    MISSING: Kind(ERROR, "mask-missing", "masks", "image", "without a mask"),
    BROKEN: Kind(ERROR, "mask-truncated", "masks", "mask", "empty or cut off", "whole masks"),
    UNREADABLE: Kind(ERROR, "mask-unreadable", "masks", "mask", "that no decoder reads", "PNG files"),
}
_MODE = Kind(ERROR, "mask-mode", "masks", "mask", "of colours", "one number a pixel, the index of its class")
_PALETTE = Kind(
    ERROR,
    "mask-palette",
    "masks",
    "mask",
    "with a palette, which the config's LoadAnnotations reads as colours",
    "imdecode_backend='pillow'",
)
_LOSSY = Kind(ERROR, "mask-lossy", "masks", "mask", "written as JPEG, which changes the indices", "PNG files")
_SIZE = Kind(ERROR, "mask-size", "masks", "mask", "of another size than the image")
_RANGE = Kind(ERROR, "mask-range", "masks", "mask", "with values beyond the classes")
_FOREGROUND = Kind(
    ERROR,
    "mask-foreground",
    "masks",
    "mask",
    "of 0 and 255 alone, and 255 is not learnt",
    "0 and 1",
    "Write 1 for the second class",
)
_ONLY_IGNORED = Kind(NOTE, "mask-ignored", "masks", "mask", "without a pixel that counts")


@dataclass(frozen=True)
class MaskFault:
    """What is wrong in some masks.

    Args:
        kind: In words.
        places: Positions of the masks.
        value: What to tell of one behind its name.
    """

    kind: Kind
    places: tuple[int, ...]
    value: Callable[[int], str]


def check_each(masks: Sequence[Mask], labels: Labels) -> Iterator[MaskFault]:
    """All that is wrong in masks or in the files of their images.

    Args:
        masks: As they were read.
        labels: How their values are to be understood.
    """
    for wrong, kind in BROKEN_FILES.items():
        yield from _where(kind, masks, lambda mask, at=wrong: mask.image.wrong == at, lambda mask: mask.image.why)
    for wrong, kind in _BROKEN_MASKS.items():
        yield from _where(kind, masks, lambda mask, at=wrong: mask.wrong == at, lambda mask: mask.why)
    yield from _where(_SIZE, masks, _differs, _sizes)
    yield from _where(
        _MODE, masks, lambda mask: bool(mask.colours), lambda mask: f"{mask.mode}, {mask.colours} colours"
    )
    yield from _where(_LOSSY, masks, lambda mask: mask.lossy and mask.is_index)
    if not labels.palettes:
        yield from _where(_PALETTE, masks, lambda mask: mask.mode == "P")
    yield from _check_values(masks, labels)


def _check_values(masks: Sequence[Mask], labels: Labels) -> Iterator[MaskFault]:
    last = len(labels.classes) - 1 + labels.zero_is_none
    none = f", {0 if labels.zero_is_none else labels.ignored} for what is not learnt"
    kind = replace(_RANGE, expected=f"{int(labels.zero_is_none)} to {last}{none}")
    strange = {value for mask in masks if not mask.lossy for value in mask.pixels if labels.class_of(value) is None}
    if strange == {last + 1} and not labels.zero_is_none:
        kind = replace(kind, do="If 0 stands for no class, set reduce_zero_label=True in data set and LoadAnnotations")
    yield from _where(
        kind,
        masks,
        lambda mask: not mask.lossy and not strange.isdisjoint(mask.pixels),
        lambda mask: _values(mask, strange),
    )
    yield from _check_foreground(masks, labels)


def _check_foreground(masks: Sequence[Mask], labels: Labels) -> Iterator[MaskFault]:
    """255 where the second class should stand: no mask knows any other class, and many have it."""
    if labels.zero_is_none or labels.ignored != 255 or len(labels.classes) < 2:
        return
    held = [mask for mask in masks if mask.pixels]
    alone = [mask for mask in held if set(mask.pixels) <= {0, 255} and 255 in mask.pixels]
    if alone and 2 * len(alone) >= len(held) and not any(set(mask.pixels) - {0, 255} for mask in held):
        yield from _where(_FOREGROUND, masks, lambda mask: 255 in mask.pixels and mask.is_index)
    else:
        yield from _where(
            _ONLY_IGNORED,
            masks,
            lambda mask: bool(mask.pixels) and all(labels.class_of(item) == -1 for item in mask.pixels),
        )


def _where(
    kind: Kind,
    masks: Sequence[Mask],
    wrong: Callable[[Mask], bool],
    value: Callable[[Mask], str] = lambda mask: "",
) -> Iterator[MaskFault]:
    places = tuple(place for place, mask in enumerate(masks) if wrong(mask))
    if places:
        yield MaskFault(kind, places, lambda place: value(masks[place]))


def _differs(mask: Mask) -> bool:
    return mask.size is not None and mask.image.size is not None and mask.size != mask.image.size


def _sizes(mask: Mask) -> str:
    return f"{mask.size[0]}x{mask.size[1]}, the image {mask.image.size[0]}x{mask.image.size[1]}"


def _values(mask: Mask, strange: set[int]) -> str:
    found = [f"{value} ({count:,} pixels)" for value, count in sorted(mask.pixels.items()) if value in strange]
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more values" if len(found) > 4 else "")
