"""All checks of semantic masks and their images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hrnet_plugin.errors import DataError
from hrnet_plugin.findings import LEVELS, NOTE, Finding, worst_first

from .clock import Clock
from .faults import EXAMPLES, KEPT, Kind
from .labels import Labels
from .mask_checks import MaskFault, check_each
from .mask_files import Mask, Pairs, pair_folders, read_mask
from .pictures import MISSING, Picture, in_threads, look_at
from .report import DataReport, Frequency, FrequencyTable, Suspect

_SPARE = Kind(NOTE, "mask-without-image", "masks", "mask", "without an image")
_NEVER = Kind(NOTE, "class-never-occurs", "masks", "class", "without a pixel", do="What is not there is not learnt")


def check_masks(
    images: str | Path,
    masks: str | Path,
    classes: int | Sequence[str],
    *,
    image_suffix: str = "",
    mask_suffix: str = ".png",
    ignored: int = 255,
    zero_is_none: bool = False,
    title: str = "",
    look: bool = True,
    decode: bool = False,
    progress: bool = False,
) -> DataReport:
    """Checks a folder of masks and one of images.

    Args:
        images, masks: The folders; names are the same but for their endings.
        classes: Their number or their names.
        image_suffix: How the names of the images end; empty for any image.
        mask_suffix: What stands in its place in the names of the masks.
        ignored: The value that is not learnt.
        zero_is_none: 0 is no class, and 1 the first (`reduce_zero_label` of mmseg).
        title: Of the report; the folder of the masks where it is empty.
        look: Look at the files of the images, too.
        decode: Decode them, rather than read their headers.
        progress: Show a progress bar, where stderr is a terminal.

    Raises:
        DataError: a folder is none, or holds no images; there are no classes.
    """
    names = tuple(f"class {index}" for index in range(classes)) if isinstance(classes, int) else tuple(classes)
    pairs = pair_folders(Path(images).expanduser(), Path(masks).expanduser(), image_suffix, mask_suffix)
    labels = Labels(names, ignored, zero_is_none)
    return check_pairs(pairs, labels, title or str(masks), images=look, decode=decode, progress=progress)


def check_pairs(
    pairs: Pairs,
    labels: Labels,
    title: str,
    *,
    images: bool = True,
    decode: bool = False,
    progress: bool = False,
) -> DataReport:
    """Checks masks with the images that they belong to.

    Args:
        pairs: The files.
        labels: How values are to be understood.
        title: Of the report.
        images: Look at the files of the images.
        decode: Decode them, rather than read their headers.
        progress: Show a progress bar, where stderr is a terminal.

    Raises:
        DataError: there are no classes.
    """
    if not labels.classes:
        raise DataError(f"classes of {title}", found="none", expected="at least one")
    clock, where = Clock(), _folder(pairs)

    def read_pair(pair: tuple[Path, Path]) -> Mask:
        return read_mask(pair[1], look_at(pair[0], decode) if images else Picture())

    files = list(zip(pairs.images, pairs.masks, strict=True))
    read = list(in_threads(read_pair, files, told="masks", progress=progress))
    clock.tick("masks")
    faults = [(_finding(fault, pairs), _suspects(fault, pairs)) for fault in check_each(read, labels)]
    if pairs.spare:
        names = tuple(path.name for path in pairs.spare[:EXAMPLES])
        faults.append((_SPARE.finding(where, len(pairs.spare), names), ()))
    frequencies = class_shares(read, labels)
    absent = tuple(row.name for row in frequencies if not row.count)
    if absent and any(row.count for row in frequencies):
        faults.append((_NEVER.finding(where, len(absent), absent[:EXAMPLES]), ()))
    clock.tick("checks")
    faults.sort(key=lambda fault: LEVELS.index(fault[0].level))
    return DataReport(
        title=title,
        counts={"images": len(pairs.images), "masks": sum(mask.wrong != MISSING for mask in read)},
        findings=worst_first(finding for finding, _ in faults),
        frequencies=(FrequencyTable("class", "pixels", frequencies),),
        seconds=clock.seconds,
        suspects=tuple(suspect for _, suspects in faults for suspect in suspects),
        files=tuple(pairs.images),
        labels=labels,
    )


def class_shares(read: Sequence[Mask], labels: Labels) -> list[Frequency]:
    """For each class its pixels, their share of those that count, and the share of the masks that have some."""
    pixels, masks = Counter[int](), Counter[int]()
    for mask in read:
        for value, count in mask.pixels.items():
            place = labels.class_of(value)
            if place is not None and place >= 0:
                pixels[place] += count
                masks[place] += 1
    total, sound = max(sum(pixels.values()), 1), max(sum(bool(mask.pixels) for mask in read), 1)
    return [
        Frequency(name, pixels[place], {"of pixels": pixels[place] / total, "in masks": masks[place] / sound})
        for place, name in enumerate(labels.classes)
    ]


def _finding(fault: MaskFault, pairs: Pairs) -> Finding:
    of_images = fault.kind.field == "images"
    files = pairs.images if of_images else pairs.masks
    told = [(files[place].name, fault.value(place)) for place in fault.places[:EXAMPLES]]
    examples = tuple(f"{name}: {value}" if value else name for name, value in told)
    return fault.kind.finding(_folder(pairs, of_images), len(fault.places), examples)


def _suspects(fault: MaskFault, pairs: Pairs) -> tuple[Suspect, ...]:
    files, kind = pairs.images if fault.kind.field == "images" else pairs.masks, fault.kind
    return tuple(
        Suspect(pairs.images[place], kind.check, kind.level, files[place].name, mask=pairs.masks[place])
        for place in fault.places[:KEPT]
    )


def _folder(pairs: Pairs, of_images: bool = False) -> str:
    return str((pairs.images if of_images else pairs.masks)[0].parent)
