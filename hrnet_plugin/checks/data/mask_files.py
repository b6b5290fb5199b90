"""Masks and the images they belong to: which pairs there are, and what is in a mask's file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hrnet_plugin.engine.image_files import IMAGE_SUFFIXES, RiskyImage, check_image_file, silent_pillow
from hrnet_plugin.errors import DataError

from .pictures import BROKEN, MISSING, UNREADABLE, Picture

#: Pixels that are counted at once: counting takes eight times the room of what is counted.
_STRIP = 2**20
#: PIL's names for pictures of one number a pixel.
_INDEX_MODES = ("1", "L", "P", "I", "I;16", "I;16B")


@dataclass(frozen=True)
class Pairs:
    """Images with their masks.

    Args:
        images, masks: Files, as many of each; they need not exist.
        spare: Masks in the folder that belong to no image.
    """

    images: Sequence[Path]
    masks: Sequence[Path]
    spare: Sequence[Path] = ()


@dataclass(frozen=True)
class Mask:
    """What stands in a mask's file, and in its image's header.

    Args:
        image: The header of the image.
        size: Width and height of the mask; None for a broken file.
        mode: PIL's name of the kind of pixels.
        lossy: The format changes values when it is written.
        pixels: How many pixels have each value, for a mask of one number a pixel.
        colours: How many colours there are, for any other; transparency is none.
        wrong, why: As of :class:`Picture`.
    """

    image: Picture
    size: tuple[int, int] | None = None
    mode: str = ""
    lossy: bool = False
    pixels: Mapping[int, int] = field(default_factory=dict)
    colours: int = 0
    wrong: str = ""
    why: str = ""

    @property
    def is_index(self) -> bool:
        """Whether it holds one number a pixel."""
        return self.mode in _INDEX_MODES


def pair_folders(images: Path, masks: Path, image_suffix: str = "", mask_suffix: str = ".png") -> Pairs:
    """Images of a folder, subfolders included, with the masks of the same name in another.

    Args:
        images, masks: The folders.
        image_suffix: How the names of the images end; empty for any image.
        mask_suffix: What stands in its place in the names of the masks.

    Raises:
        DataError: a folder is none, or there are no images.
    """
    for folder, what in ((images, "images"), (masks, "masks")):
        if not folder.is_dir():
            raise DataError(f"{what} {folder}", found="a file" if folder.exists() else "no such folder",
                            expected=f"a folder of {what}")  # fmt: skip
    ending = (image_suffix,) if image_suffix else IMAGE_SUFFIXES
    found = sorted(path for path in images.rglob("*") if path.name.lower().endswith(tuple(map(str.lower, ending))))
    if not found:
        raise DataError(f"images {images}", found="none", expected=f"files that end with {' or '.join(ending)}")
    stems = [_stem(path.relative_to(images), image_suffix) for path in found]
    paired = [masks / f"{stem}{mask_suffix}" for stem in stems]
    return Pairs(found, paired, spare_masks(masks, paired, mask_suffix))


def spare_masks(folder: Path, paired: Sequence[Path], suffix: str) -> list[Path]:
    """The masks of a folder that are not among those that belong to an image."""
    known = set(paired)
    return sorted(path for path in folder.rglob(f"*{suffix}") if path not in known)


def read_mask(path: Path, image: Picture) -> Mask:
    """What is in a mask, read as mmseg reads it: palettes as indices.

    Args:
        path: The mask's file.
        image: What is known of its image.
    """
    if not os.path.isfile(path):
        return Mask(image, wrong=MISSING)
    try:
        check_image_file(path)
        with silent_pillow(), Image.open(path) as opened:
            kind = {"size": opened.size, "mode": opened.mode, "lossy": opened.format == "JPEG"}
            return Mask(image, **kind, **_content(opened))
    except RiskyImage as error:
        return Mask(image, wrong=UNREADABLE, why=str(error.found))
    except DataError as error:
        return Mask(image, wrong=BROKEN, why=str(error.found))
    except Exception as error:  # a file that is no image may fail in any way, and a small one ask for much memory
        return Mask(image, wrong=UNREADABLE, why=type(error).__name__)


def _content(opened: Image.Image) -> dict[str, Any]:
    """How many pixels have which value, or how many colours there are, strip by strip."""
    width, height = opened.size
    rows = max(1, _STRIP // max(1, width))
    counts: Counter[int] = Counter()
    colours = np.zeros(0, bool)
    for top in range(0, height, rows):
        values = np.asarray(opened.crop((0, top, width, min(top + rows, height))))
        if values.ndim == 2:
            counts.update(_counted(values))
            continue
        if not len(colours):
            colours = np.zeros(2**24, bool)
        packed = np.zeros(values.shape[:2], np.uint32)
        for channel in range(min(values.shape[2], 3)):
            packed = packed << 8 | values[..., channel]
        colours[packed.ravel()] = True
    return {"colours": int(colours.sum())} if len(colours) else {"pixels": dict(sorted(counts.items()))}


def _counted(values: np.ndarray) -> dict[int, int]:
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=256)
        found = np.flatnonzero(counts)
        return dict(zip(found.tolist(), counts[found].tolist(), strict=True))
    found, counts = np.unique(values.astype(np.int64), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _stem(path: Path, suffix: str) -> str:
    return path.as_posix().removesuffix(suffix) if suffix else path.with_suffix("").as_posix()
