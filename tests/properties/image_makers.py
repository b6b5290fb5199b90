"""Image files of every kind, whole and damaged."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from PIL import Image

#: Suffix and Pillow's mode of what can be written; animated ones have three frames.
KINDS = (
    (".jpg", "RGB"), (".jpg", "L"), (".jpg", "CMYK"), (".png", "RGB"), (".png", "RGBA"), (".png", "L"), (".png", "LA"),
    (".png", "P"), (".png", "1"), (".png", "I;16"), (".png", "animated"), (".webp", "RGB"), (".webp", "RGBA"),
    (".webp", "animated"), (".gif", "P"), (".gif", "animated"), (".bmp", "RGB"), (".bmp", "1"), (".bmp", "P"),
    (".tif", "RGB"), (".tif", "CMYK"), (".tif", "I;16"), (".tif", "F"), (".tif", "animated"), (".tif", "LAB"),
)  # fmt: skip
#: Width and height.
SIZES = ((1, 1), (1, 2), (3, 1), (4097, 31), (31, 4097), (1, 5000), (5000, 1), (17, 5), (64, 48), (255, 257))
_FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF", ".bmp": "BMP", ".tif": "TIFF"}
_ORIENTATION = 274


@dataclass(frozen=True)
class Made:
    """An image file.

    Args:
        suffix: Of its name.
        mode: Pillow's, or `animated`.
        size: Width and height.
        orientation: Of EXIF; 0 where it has none.
    """

    suffix: str
    mode: str
    size: tuple[int, int]
    orientation: int = 0

    def data(self) -> bytes:
        """The file's content."""
        frames = [self._frame(seed) for seed in range(3 if self.mode == "animated" else 1)]
        options = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
        if self.orientation:
            exif = Image.Exif()
            exif[_ORIENTATION] = self.orientation
            options["exif"] = exif
        file = io.BytesIO()
        frames[0].save(file, _FORMATS[self.suffix], **options)
        return file.getvalue()

    def _frame(self, seed: int) -> Image.Image:
        width, height = self.size
        rng = np.random.default_rng(seed)
        mode = "RGB" if self.mode == "animated" else self.mode
        if mode == "I;16":
            return Image.fromarray(rng.integers(0, 65535, (height, width), np.uint16))
        if mode == "F":
            return Image.fromarray(rng.random((height, width), np.float32))
        image = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
        if mode == "LAB":
            return Image.merge("LAB", image.split())
        return image.convert(mode)


IMAGES = st.builds(
    lambda kind, size, orientation: Made(
        *kind, size, orientation if kind[0] in (".jpg", ".png", ".tif", ".webp") else 0
    ),
    st.sampled_from(KINDS),
    st.one_of(st.sampled_from(SIZES), st.tuples(st.integers(1, 70), st.integers(1, 70))),
    st.sampled_from((0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535)),
)


@st.composite
def damaged(draw) -> tuple[str, bytes]:
    """Suffix and content of a file with something wrong in it, or of another kind than its name says."""
    made = draw(IMAGES)
    data = bytearray(made.data())
    for how in draw(st.lists(st.sampled_from(("cut", "flip", "head", "zero", "insert")), min_size=1, max_size=3)):
        at = int(draw(st.floats(0, 1)) * (len(data) - 1)) if data else 0
        if how == "cut":
            del data[at:]
        elif how == "head" and data:  # sizes, kinds, and counts stand there
            data[at % min(64, len(data))] = draw(st.sampled_from((0, 1, 127, 128, 255)))
        elif how == "flip" and data:
            data[at] ^= draw(st.integers(1, 255))
        elif how == "zero":
            data[at : at + 50] = bytes(len(data[at : at + 50]))
        else:
            data[at:at] = draw(st.binary(max_size=8))
    return draw(st.sampled_from((made.suffix, made.suffix, ".png", ".jpg", ".bmp"))), bytes(data)


def png_claiming(width: int, height: int, rows: int = 4, depth: int = 1) -> bytes:
    """A grey PNG whose header claims a size; its pixels end after a few rows, or last where `rows` is the height."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    pack, row = zlib.compressobj(9), bytes(1 + -(-width * depth // 8))
    pixels = b"".join(pack.compress(row) for _ in range(rows)) + pack.flush()
    header = struct.pack(">2I5B", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
