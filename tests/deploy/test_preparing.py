"""Images become what the framework's pipelines make of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.preparing import cut_out, read_image, resize, to_tensor, whole_or_middle
from hrnet_plugin.errors import DataError

_IMAGE = np.random.default_rng(0).integers(0, 255, (101, 131, 3), dtype=np.uint8)


@pytest.mark.parametrize("use_udp", [False, True])
@pytest.mark.parametrize("box", [[10, 10, 60, 90], [5.5, 30, 120, 60.2], [-20, -20, 40, 70], [100, 50, 180, 160]])
def test_crops_are_those_of_mmpose(box, use_udp):
    description = NetworkDescription("pose", (48, 64), preparing={"padding": 1.3, "use_udp": use_udp})
    with DefaultScope.overwrite_default_scope("mmpose"):
        import mmpose.datasets  # noqa: F401

        steps = [
            {"type": "mmpose.GetBBoxCenterScale", "padding": 1.3},
            {"type": "mmpose.TopdownAffine", "input_size": (48, 64), "use_udp": use_udp},
        ]
        theirs = Compose(steps)({"img": _IMAGE, "bbox": np.array([box], np.float32)})
    found = cut_out(_IMAGE, np.array(box), description)
    assert np.abs(found.pixels.astype(int) - theirs["img"]).max() <= 1
    assert np.allclose(found.centre, theirs["bbox_center"][0])
    assert np.allclose(found.scale, theirs["bbox_scale"][0], rtol=1e-6)


@pytest.mark.parametrize("use_udp", [False, True])
@pytest.mark.parametrize("most", [60, 99])
@pytest.mark.parametrize("box", [[10, 10, 40, 50], [-20, -20, 20, 30], [0, 0, 131, 101], [900, 0, 950, 60]])
def test_a_part_of_a_very_large_image_is_cut_out_like_one_of_the_whole(box, most, use_udp, monkeypatch):
    smooth = cv2.GaussianBlur(_IMAGE, None, 8)
    description = NetworkDescription("pose", (48, 64), preparing={"use_udp": use_udp})
    expected = cut_out(smooth, np.array(box), description)
    monkeypatch.setattr("hrnet_plugin.deploy.preparing._WARPED", most)
    found = cut_out(smooth, np.array(box), description)
    assert np.array_equal(found.centre, expected.centre)
    assert np.array_equal(found.scale, expected.scale)
    # A picture of which every second pixel was taken ends a pixel later or earlier: edges differ, and nothing else.
    differs = np.abs(found.pixels.astype(int) - expected.pixels).max(2) > 4
    assert not cv2.erode(differs.astype(np.uint8), np.ones((3, 3))).any()


def test_opencv_warps_no_larger_image(monkeypatch):
    description = NetworkDescription("pose", (48, 64))
    for shape in ((4, 32766, 3), (4, 32767, 3), (32767, 4, 3), (40000, 4, 3)):
        image = np.full(shape, 7, np.uint8)
        assert cut_out(image, np.array([0, 0, shape[1], shape[0]]), description).pixels.max() == 7


@pytest.mark.parametrize(
    "preparing",
    [{"scale": [200, 90], "keep_ratio": True}, {"scale": [90, 200], "keep_ratio": True}, {"scale": [80, 60]}, {}],
)
def test_sizes_are_those_of_mmseg(preparing):
    expected = _IMAGE
    if preparing:
        with DefaultScope.overwrite_default_scope("mmseg"):
            step = {"type": "mmcv.Resize", **preparing, "scale": tuple(preparing["scale"])}
            expected = Compose([step])({"img": _IMAGE})["img"]
    assert np.array_equal(resize(_IMAGE, NetworkDescription("segmentation", preparing=preparing)), expected)


def test_a_fixed_size_stretches_the_image_and_tiles_do_not():
    description = NetworkDescription("segmentation", (64, 32))
    assert resize(_IMAGE, description).shape == (32, 64, 3)
    sliding = dataclasses.replace(description, test_cfg={"mode": "slide"})
    assert resize(_IMAGE, sliding) is _IMAGE


@pytest.mark.parametrize(
    ("size", "preparing", "shape"),
    [
        ((32, 32), {"edge": 40, "crop": 32}, (32, 32, 3)),
        (None, {"edge": 40, "crop": 32}, (32, 32, 3)),
        (None, {"edge": 40, "crop": [48, 32]}, (32, 48, 3)),
        ((64, 48), {"edge": 40, "crop": 32}, (48, 64, 3)),
        (None, {}, (101, 101, 3)),
        (None, {"scale": [40, 24]}, (24, 40, 3)),
        ((48, 32), {"scale": [40, 24]}, (32, 48, 3)),
    ],
)
def test_the_middle_of_a_classifier_s_image(size, preparing, shape):
    assert whole_or_middle(_IMAGE, NetworkDescription("classification", size, preparing=preparing)).shape == shape


@pytest.mark.parametrize("way", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("backend", ["cv2", "pillow"])
def test_ways_of_resizing_are_those_of_mmcv(backend, way):
    import mmcv

    preparing = {"edge": 40, "crop": 40, "backend": backend, "interpolation": way}
    expected = mmcv.imresize(_IMAGE[:, :101], (40, 40), interpolation=way, backend=backend)
    assert np.array_equal(
        whole_or_middle(_IMAGE[:, :101], NetworkDescription("classification", preparing=preparing)), expected
    )


def test_channels_and_normalisation():
    pixels = _IMAGE[:4, :4]
    rgb = NetworkDescription("features", mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0))
    expected = (pixels[..., ::-1].astype(np.float32) - (1, 2, 3)) / np.float32((2, 4, 8))
    assert np.allclose(to_tensor([pixels], rgb)[0].permute(1, 2, 0), expected)
    bgr = dataclasses.replace(rgb, channel_order="bgr")
    assert torch.equal(to_tensor([pixels], bgr)[0, 0], (torch.from_numpy(pixels[..., 0].copy()).float() - 1) / 2)
    inside = dataclasses.replace(rgb, normalised_inside=True)
    assert np.array_equal(to_tensor([pixels, pixels], inside)[1].permute(1, 2, 0), pixels)


def test_images_from_files_and_arrays(tmp_path):
    path = tmp_path / "ä image.png"
    path.write_bytes(cv2.imencode(".png", _IMAGE)[1].tobytes())
    assert np.array_equal(read_image(path), _IMAGE)
    assert np.array_equal(read_image(str(path)), _IMAGE)
    assert read_image(_IMAGE) is _IMAGE


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("absent.jpg", r"image absent\.jpg: found no such file"),
        (Path("."), "found no such file"),
        (_IMAGE[..., 0], r"found an array \(101, 131\) of uint8, expected \(H, W, 3\) of uint8, BGR"),
        (_IMAGE.astype(np.float32), "of float32"),
        (_IMAGE[:0], r"found an array \(0, 131, 3\)"),
        (np.zeros((4, 4, 4), np.uint8), r"found an array \(4, 4, 4\)"),
        (None, "image: found a NoneType, expected a path"),
    ],
)
def test_what_is_no_image_is_one_line(image, words):
    with pytest.raises(DataError, match=words):
        read_image(image)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file, expected a whole image"),
        (b"no image", "nothing that OpenCV reads, expected a JPEG, PNG"),
        (b"\x89PNG\r\n\x1a\n", r"a truncated file \(8 bytes"),
    ],
)
def test_files_that_hold_no_image(content, found, tmp_path):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"image .*x\.png: found {found}"):
        read_image(tmp_path / "x.png")
