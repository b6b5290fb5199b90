"""Sizes of images with an EXIF orientation: those that OpenCV reads, which turns some formats and not others."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from hrnet_plugin.checks.data.pictures import look_at
from hrnet_plugin.deploy.preparing import read_image

_ORIENTATION = 274


def write(path: Path, orientation: int) -> Path:
    """An image of 6x4 pixels."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    Image.new("RGB", (6, 4)).save(path, exif=exif)
    return path


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_the_size_is_the_one_that_is_read(tmp_path, name, orientation):
    path = write(tmp_path / name, orientation)
    for decode in (False, True):
        picture = look_at(path, decode)
        assert (picture.wrong, picture.size) == ("", read_image(path).shape[1::-1])
