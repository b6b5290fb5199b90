"""Image files: there, whole, of the right size. Headers are read, and pixels only where they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hrnet_plugin.engine.image_files import RiskyImage, check_image_file, silent_pillow
from hrnet_plugin.errors import DataError
from hrnet_plugin.findings import ERROR, NOTE

from .faults import Fault, Kind
from .table import CocoTable

_Item, _Result = TypeVar("_Item"), TypeVar("_Result")

MISSING, BROKEN, UNREADABLE = "missing", "truncated", "unreadable"
#: EXIF's tag of the orientation, and its values that exchange width and height.
_ORIENTATION, _TURNED = 274, (5, 6, 7, 8)
#: Pillow's names of the formats that OpenCV turns.
_TURNING = ("JPEG", "MPO", "PNG")

#: By what is wrong with a file.
BROKEN_FILES = {
    MISSING: Kind(ERROR, "image-missing", "images", "image", "without a file"),
    BROKEN: Kind(ERROR, "image-truncated", "images", "file", "empty or cut off", "whole images"),
    UNREADABLE: Kind(ERROR, "image-unreadable", "images", "file", "that no decoder reads", "images"),
}
_UNSIZED = Kind(
    ERROR, "image-size-field", "images", "image", "without a width and height above 0", "their size in pixels"
)
_SIZE = Kind(ERROR, "image-size", "images", "image", "of another size than the file says")
_TURN = Kind(
    ERROR,
    "image-orientation",
    "images",
    "image",
    "turned when read (EXIF), and annotated as if not",
    do="Turn the pixels and take the mark out of the files",
)
_MARKED = Kind(
    NOTE, "image-exif", "images", "image", "with an EXIF orientation",
    do="They are read turned or mirrored; `--sheet` shows whether the annotations fit",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """What an image file's header tells.

    Args:
        size: Width and height as OpenCV reads it, EXIF orientation included; None for a broken file.
        orientation: EXIF's, 1 where there is none.
        wrong: `MISSING`, `BROKEN`, `UNREADABLE` or empty.
        why: In a few words.
    """

    size: tuple[int, int] | None = None
    orientation: int = 1
    wrong: str = ""
    why: str = ""


def look_at(path: Path, decode: bool = False) -> Picture:
    """Looks at an image file.

    Args:
        path: The file.
        decode: Decode it, too, as the frameworks do.
    """
    if not os.path.isfile(path):  # of Path, it raises for a name that no file can have
        return Picture(wrong=MISSING, why="a folder" if os.path.isdir(path) else "")
    try:
        check_image_file(path)
        with silent_pillow(), Image.open(path) as image:  # large images, odd EXIF
            size = image.size
            orientation = image.getexif().get(_ORIENTATION, 1) if _is_turned(image) else 1
    except RiskyImage as error:
        return Picture(wrong=UNREADABLE, why=str(error.found))
    except DataError as error:
        return Picture(wrong=BROKEN, why=str(error.found))
    except Exception as error:  # a file that is no image may fail in any way
        return Picture(wrong=UNREADABLE, why=type(error).__name__)
    if not cv2.haveImageReader(str(path)):
        return Picture(wrong=UNREADABLE, why="a format that OpenCV does not read")
    if decode and not _decodes(path):
        return Picture(wrong=UNREADABLE, why="its header is right, its pixels are not")
    return Picture(size[::-1] if orientation in _TURNED else size, orientation)


def in_threads(
    work: Callable[[_Item], _Result], items: Sequence[_Item], *, told: str, progress: bool
) -> Iterator[_Result]:
    """The results of `work` on each item, in order; reading and decoding let other threads go on.

    Args:
        work: What to do with an item.
        items: All of them.
        told: Beside the progress bar.
        progress: Show one, where stderr is a terminal.
    """
    pool = ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1)))
    try:
        results = pool.map(work, items)
        yield from tqdm(results, desc=told, total=len(items), unit="file", disable=None if progress else True)
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest


def look_at_all(table: CocoTable, folder: Path, *, decode: bool, progress: bool) -> list[Picture]:
    """The files of a table's images, in order; those without a file name are told as sound."""
    names = [folder / name if name else None for name in table.file_names]
    return list(
        in_threads(lambda path: look_at(path, decode) if path else Picture(), names, told="images", progress=progress)
    )


def check_sizes_told(table: CocoTable) -> Iterator[Fault]:
    """Width and height in the annotation file."""
    if not table.mpii:
        yield from _UNSIZED.of_images(table, np.isnan(table.sizes).any(1))


def check_pictures(table: CocoTable, pictures: Sequence[Picture]) -> Iterator[Fault]:
    """The image files, and their sizes against those of the annotation file."""
    for wrong, kind in BROKEN_FILES.items():
        found = np.array([picture.wrong == wrong for picture in pictures], bool)
        yield from kind.of_images(table, found, lambda place: pictures[place].why)
    real, told = real_sizes(pictures), table.sizes
    turned = np.array([picture.orientation in _TURNED for picture in pictures], bool)
    differs = _known(real, told) & (real != told).any(1)
    exchanged = (real == told[:, ::-1]).all(1)
    lying = differs & turned & exchanged
    yield from _TURN.of_images(table, lying, lambda place: f"EXIF orientation {pictures[place].orientation}")
    yield from _SIZE.of_images(table, differs & ~lying, lambda place: _told(real[place], told[place]))
    marked = np.array([picture.orientation != 1 for picture in pictures], bool)
    yield from _MARKED.of_images(
        table, marked & ~differs, lambda place: f"EXIF orientation {pictures[place].orientation}"
    )


def with_real_sizes(table: CocoTable, pictures: Sequence[Picture]) -> CocoTable:
    """The table with the sizes of the files where it has none, and none where it has another."""
    real, told = real_sizes(pictures), table.sizes
    sizes = np.where(np.isnan(told), real, told)
    sizes[_known(real, told) & (real != told).any(1)] = np.nan
    return replace(table, sizes=sizes)


def real_sizes(pictures: Sequence[Picture]) -> np.ndarray:
    """(M, 2) width and height, NaN for broken files."""
    return np.array([picture.size or (np.nan, np.nan) for picture in pictures], np.float64).reshape(-1, 2)


def _known(real: np.ndarray, told: np.ndarray) -> np.ndarray:
    return np.isfinite(real).all(1) & np.isfinite(told).all(1)


def _told(real: np.ndarray, told: np.ndarray) -> str:
    text = f"{real[0]:g}x{real[1]:g}, in the file {told[0]:g}x{told[1]:g}"
    return f"{text} (width and height exchanged)" if (real == told[::-1]).all() else text


def _is_turned(image: Image.Image) -> bool:
    """Whether OpenCV turns an image as its EXIF entry says; of TIFF, Pillow tells the size of the turned one."""
    return "exif" in image.info and image.format in _TURNING


def _decodes(path: Path) -> bool:
    try:
        if cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) is None:
            return False
    except cv2.error:  # more pixels than OpenCV allows
        return False
    try:  # OpenCV fills in what it cannot read
        with silent_pillow(), Image.open(path) as image:
            image.load()
    except Exception:
        return False
    return True
