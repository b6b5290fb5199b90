"""Whether an image file is whole, from its bytes and without decoding it.

Decoders forgive: a JPEG that was cut off comes out of OpenCV with a grey rest and a line on stderr, and training
goes on with it. A look at the first and last bytes costs microseconds.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

from hrnet_plugin.errors import DataError

#: How the image files end that are taken from a folder.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_JPEG_SCAN = 0xDA
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
#: Photographs unpack to 5 to 40 times their files, plain areas to a thousand times; of small ones, that is little.
_TIMES, _MUCH = 100, 512 * 2**20
_IN_ANNOTATIONS = "Restore it, or take it out of the annotations"


class RiskyImage(DataError):
    """An image over which a decoder may end the process."""


def check_image_file(path: str | os.PathLike[str], do: str = _IN_ANNOTATIONS) -> None:
    """Check that an image (or mask) file is there and whole.

    JPEG, PNG, WebP and BMP are checked to their end, other formats for being there and not empty. Animated PNGs are
    refused, whole ones too.

    Args:
        path: The file.
        do: What the user can do about one that is not.

    Raises:
        RiskyImage: it is an animated PNG.
        DataError: it is missing, no file, empty or cut off.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError("a folder, a pipe or a device")  # a pipe may never be written into
        with open(path, "rb") as file:
            start = file.read(16)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 16, 0))
            end = file.read()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero in it
        raise DataError(f"image {path}", found=getattr(error, "strerror", None) or str(error), do=do) from error
    if not size:
        raise DataError(f"image {path}", found="an empty file", expected="a whole image", do=do)
    if not _is_whole(path, start, end, size):
        found = f"a truncated file ({size} bytes, without the end of the image)"
        raise DataError(f"image {path}", found=found, expected="a whole image", do=do)
    if start.startswith(_PNG_START):
        _check_png_parts(path, size, do)


@contextlib.contextmanager
def silent_pillow() -> Iterator[None]:
    """Within it, Pillow opens images without its warnings: of large ones, odd EXIF, odd tags."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_image_extent(path: str | os.PathLike[str], do: str) -> None:
    """Check that an image does not unpack to far more than its file holds: a PNG of 3 MB may be one of 3 GB.

    Formats that Pillow does not know are let through; OpenCV decodes none of more than 2 ** 30 pixels.

    Args:
        path: A file that is there.
        do: What the user can do about one that does.

    Raises:
        DataError: it does.
    """
    from PIL import Image

    try:
        with silent_pillow(), Image.open(path) as image:
            pixels = image.width * image.height
    except Image.DecompressionBombError as error:
        told = re.search(r"\d+", str(error))
        pixels = int(told[0]) if told else 2 * (Image.MAX_IMAGE_PIXELS or 0)
    except Exception:  # whoever decodes it says what is wrong
        return
    size = os.path.getsize(path)
    if 3 * pixels > max(_MUCH, _TIMES * size):
        raise DataError(
            f"image {path}",
            found=f"{pixels:,} pixels in a file of {size:,} bytes",
            expected=f"at most {_TIMES} times its size once it is unpacked, or {_MUCH:,} bytes",
            do=do,
        )


class CheckImageFiles:
    """A data transform that refuses broken files; it stands before the one that loads the image.

    Reads `img_path` and `seg_map_path`, changes nothing and draws no random number. Files that are not on a local
    path, and images that are already in memory, are let through.

    Raises:
        DataError: a file is missing, empty or cut off.
    """

    def __call__(self, results: dict) -> dict:
        for key in ("img_path", "seg_map_path"):
            path = results.get(key)
            if isinstance(path, str) and "://" not in path and not (key == "img_path" and "img" in results):
                check_image_file(path)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _is_whole(path: Path, start: bytes, end: bytes, size: int) -> bool:
    if start.startswith(_JPEG_START):
        return end.endswith(_JPEG_END) or _has_jpeg_end(path.read_bytes())
    if start.startswith(_PNG_START):
        return end.endswith(_PNG_END) or _PNG_END in path.read_bytes()
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return size >= int.from_bytes(start[4:8], "little") + 8
    if start.startswith(b"BM"):
        return size >= int.from_bytes(start[2:6], "little")
    return True


def _check_png_parts(path: Path, size: int, do: str) -> None:
    """Refuses a PNG whose parts do not lead to its end, or that is animated.

    OpenCV makes room for what a part claims, 2 GB, before it looks. Since 4.11 it also reads animations, and one with
    damaged pixels ends the process: libpng jumps back into a function that has returned (opencv/opencv#27744).
    """
    place = len(_PNG_START)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while place < size:
            kind = data[place + 4 : place + 8]
            if kind == b"IEND":
                return
            if kind == b"acTL":
                expected = "a plain one, since OpenCV may end the process over an animated one"
                do = "Save its first picture as a plain PNG"
                raise RiskyImage(f"image {path}", found="an animated PNG", expected=expected, do=do)
            place += 12 + int.from_bytes(data[place : place + 4], "big")
    found = "a damaged file, in which a part says that it is longer than the file"
    raise DataError(f"image {path}", found=found, expected="a whole image", do=do)


def _has_jpeg_end(data: bytes) -> bool:
    """Whether the end marker follows the first scan.

    A thumbnail in the header brings its own markers, and some cameras append data after the image, so neither the
    last bytes nor the first marker decide. Inside a scan, marker codes cannot occur.
    """
    place = len(_JPEG_START)
    while place + 4 <= len(data) and data[place] == 0xFF:
        if data[place + 1] == 0xFF:  # a fill byte
            place += 1
            continue
        if data[place + 1] == _JPEG_SCAN:
            return data.find(_JPEG_END, place) >= 0
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False
