"""Image files of every kind and size: read as they are, or refused in a line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from bounds import MB, PIXELS, outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from image_makers import IMAGES, SIZES, damaged, png_claiming
from junk import NUMBERS
from torch import Tensor

from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.checks.data.mask_files import Mask, read_mask
from hrnet_plugin.checks.data.pictures import Picture, look_at
from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.predictor import Predictor
from hrnet_plugin.deploy.preparing import read_image
from hrnet_plugin.deploy.runtimes.base import Runtime
from hrnet_plugin.engine.image_files import CheckImageFiles, check_image_file
from hrnet_plugin.errors import DataError, UserError
from hrnet_plugin.inference.drawing import draw
from hrnet_plugin.models import HRNet

_TURNED = (5, 6, 7, 8)


def _write(folder: Path, suffix: str, data: bytes) -> Path:
    path = folder / f"image{suffix}"
    path.write_bytes(data)
    return path


@tries(60, 6000)
@given(made=IMAGES)
def test_a_whole_image_has_the_size_that_its_header_tells(folder, made):
    path = _write(folder, made.suffix, made.data())
    refused = outcome(lambda: check_image_file(path))
    assert (refused is not None) == ((made.suffix, made.mode) == (".png", "animated"))
    looked, decoded = outcome(lambda: look_at(path)), outcome(lambda: look_at(path, decode=True))
    read = outcome(lambda: read_image(path))
    assert isinstance(outcome(lambda: read_mask(path, looked)), Mask)
    if isinstance(read, DataError):  # OpenCV knows fewer kinds than Pillow, and says so; animated PNGs
        assert decoded.wrong
        return
    assert (read.ndim, read.shape[2], read.dtype) == (3, 3, np.uint8)
    assert looked == decoded
    assert looked.size == read.shape[1::-1]
    if made.suffix == ".jpg":
        assert looked.size == (made.size[::-1] if made.orientation in _TURNED else made.size)


@tries(40, 20000)
@given(file=damaged())
def test_a_damaged_image_is_read_or_refused(folder, file):
    path = _write(folder, *file)
    for decode in (False, True):
        looked = outcome(lambda decode=decode: look_at(path, decode), PIXELS)
        assert isinstance(looked, Picture)
    assert isinstance(outcome(lambda: read_mask(path, looked), PIXELS), Mask)
    read = outcome(lambda: read_image(path), PIXELS)
    assert isinstance(read, (np.ndarray, DataError))
    assert isinstance(outcome(lambda: CheckImageFiles()({"img_path": str(path)})), (dict, DataError))


@tries(15, 2000)
@given(width=st.sampled_from((0, 1, 2**16, 2**20, 2**31 - 1, 2**32 - 1)), height=st.sampled_from((0, 1, 2**16, 2**31)))
def test_a_size_that_is_only_claimed_takes_no_memory(folder, width, height):
    path = _write(folder, ".png", png_claiming(width, height, rows=0))
    assert isinstance(outcome(lambda: look_at(path)), Picture)
    assert isinstance(outcome(lambda: read_image(path)), (np.ndarray, DataError))


@pytest.mark.parametrize("kind", [b"PLTE", b"tEXt", b"eXIf", b"IDAT"])
def test_a_part_that_is_only_claimed_takes_no_memory(folder, kind):
    data = bytearray(png_claiming(8, 8, rows=8))
    place = data.index(b"IDAT") - 4
    data[place:place] = (2**31 - 1).to_bytes(4, "big") + kind
    path = _write(folder, ".png", data)
    assert "longer than the file" in str(outcome(lambda: read_image(path)))
    assert "longer than the file" in outcome(lambda: look_at(path, decode=True)).why


@pytest.mark.parametrize("depth", [1, 8])
def test_a_mask_of_64_million_pixels_is_counted_in_parts(folder, depth):
    path = _write(folder, ".png", png_claiming(8000, 8000, rows=8000, depth=depth))
    assert path.stat().st_size < MB
    assert outcome(lambda: read_mask(path, Picture())).pixels == {0: 64_000_000}


def test_a_small_file_of_a_billion_pixels_is_not_unpacked(folder):
    path = _write(folder, ".png", png_claiming(32000, 32000, rows=32000))
    assert path.stat().st_size < MB
    assert "1,024,000,000 pixels in a file of" in str(outcome(lambda: read_image(path)))
    for decode in (False, True):
        assert outcome(lambda decode=decode: look_at(path, decode)).wrong
    assert outcome(lambda: read_mask(path, Picture())).wrong


def test_what_is_no_file_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe.png")
    (folder / "circle.png").symlink_to("circle.png")
    for name in ("pipe.png", "circle.png", ".", "x" * 5000, "a\0b.png", "/dev/zero", "\ud800"):
        path = folder / name
        assert isinstance(outcome(lambda path=path: check_image_file(path)), DataError)
        assert isinstance(outcome(lambda path=path: read_image(path)), DataError)
        assert outcome(lambda path=path: look_at(path)).wrong


class Small(Runtime):
    """The smallest HRNet of three branches; its two channels are the maps."""

    name, precisions = "small", ("fp32",)

    def __init__(self):
        super().__init__()
        spec = HRNetSpec.of_width(2, num_modules=(1, 1, 1), num_blocks=1, stage1_width=2, stem_width=2)
        self.network = HRNet(spec, multiscale_output=False).eval()

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            return tuple(self.network(images))


_SCALING = {"mean": (0.0, 0.0, 0.0), "std": (255.0, 255.0, 255.0), "name": "small"}
POSING = Predictor(
    Small(),
    NetworkDescription(
        "pose", (32, 48), keypoint_names=("left", "right"), flip_indices=(1, 0), limbs=((0, 1),),
        codec={"type": "MSRAHeatmap", "input_size": (32, 48), "heatmap_size": (8, 12)}, **_SCALING,
    ),
)  # fmt: skip
SEGMENTING = Predictor(Small(), NetworkDescription("segmentation", classes=("sky", "sea"), **_SCALING))


@tries(20, 2000)
@given(
    size=st.one_of(st.sampled_from(SIZES), st.tuples(st.integers(1, 70), st.integers(1, 70))),
    boxes=st.lists(st.lists(NUMBERS, min_size=4, max_size=4), max_size=2),
)
def test_images_and_boxes_of_any_size_are_predicted_or_refused(size, boxes):
    image = np.full((size[1], size[0], 3), 77, np.uint8)
    for predictor, where in ((POSING, None), (POSING, boxes), (SEGMENTING, None)):
        found = outcome(lambda predictor=predictor, where=where: predictor(image, where))
        for one in () if isinstance(found, UserError) else found:
            outcome(lambda one=one: draw(image, one))


@pytest.mark.parametrize("image", [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), "no.png", 7, None])
def test_what_is_no_image_is_refused(image):
    assert isinstance(outcome(lambda: POSING(image)), UserError)
