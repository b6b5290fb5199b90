"""Crops of several images are computed together, with the answers of each image by itself."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.data import render_scene
from hrnet_plugin.deploy.describing import describe
from hrnet_plugin.deploy.predictor import Predictor
from hrnet_plugin.deploy.preparing import read_image
from hrnet_plugin.deploy.runtimes.base import Runtime
from hrnet_plugin.deploy.runtimes.torch_eager import TorchRuntime
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import ConfigError, DataError


class Counting(Runtime):
    """Another runtime that notes how many images each call got."""

    name, precisions = "counting", ("fp32",)

    def __init__(self, inner: Runtime):
        super().__init__(shape=inner.shape)
        self.inner, self.calls = inner, []

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        self.calls.append(len(images))
        return self.inner(images)


@pytest.fixture(scope="module")
def scenes() -> list[np.ndarray]:
    """Drawn pictures of three sizes, (H, W, 3) in BGR."""
    drawn = [np.ascontiguousarray(render_scene(0, "test", index).image[..., ::-1]) for index in range(4)]
    return [drawn[0], drawn[1][:180, :200].copy(), drawn[2], drawn[3][:180, :200].copy()]


_BOXES = [[[20, 10, 120, 190], [60, 30, 140, 100]], [], [[0, 0, 100, 100]], [[5, 5, 90, 170], [30, 2, 80, 80]]]


def test_persons_of_several_images_share_batches(pose_cfg, pose_model, scenes):
    runtime = Counting(TorchRuntime(TensorModel(pose_model)))
    description = describe(pose_cfg, size=(96, 128))
    # Read without a Taylor expansion, which magnifies rounding on maps of random weights.
    plain = dataclasses.replace(description, codec={**description.codec, "type": "MSRAHeatmap"})
    predictor = Predictor(runtime, plain)
    together = predictor(scenes, _BOXES, flip_test=False)
    assert runtime.calls == [5]
    runtime.calls.clear()
    alone = [predictor(scene, boxes, flip_test=False)[0] for scene, boxes in zip(scenes, _BOXES, strict=True)]
    assert runtime.calls == [2, 1, 2]
    assert [len(found.keypoints) for found in together] == [2, 0, 1, 2]
    for one, other in zip(together, alone, strict=True):
        assert np.allclose(one.scores, other.scores, rtol=1e-4, atol=1e-6)  # the maxima of the heatmaps
        assert np.allclose(one.keypoints, other.keypoints, atol=1e-3)
        assert np.array_equal(one.boxes, other.boxes)
    flipped = predictor(scenes, _BOXES, flip_test=True)
    assert not np.allclose(flipped[0].scores, together[0].scores)


def test_no_more_images_are_read_than_a_batch_takes(pose_cfg, pose_model, scenes, monkeypatch):
    runtime = Counting(TorchRuntime(TensorModel(pose_model)))
    predictor = Predictor(runtime, describe(pose_cfg, size=(96, 128)), batch=3)
    seen = []
    read = "hrnet_plugin.deploy.predictor.read_image"
    monkeypatch.setattr(read, lambda image: seen.append(list(runtime.calls)) or read_image(image))
    found = predictor(scenes * 2, flip_test=False)
    assert runtime.calls == [3, 3, 2]
    assert seen == [[]] * 3 + [[3]] * 3 + [[3, 3]] * 2
    assert len(found) == 8
    assert np.array_equal(found[0].keypoints, found[4].keypoints)


def test_pixels_of_images_of_one_size_share_batches(seg_cfg, build, scenes):
    runtime = Counting(TorchRuntime(TensorModel(build(seg_cfg))))
    predictor = Predictor(runtime, describe(seg_cfg))
    images = [scenes[0], scenes[2], scenes[1], scenes[3], scenes[0]]
    together = predictor(images)
    assert runtime.calls == [2, 2, 1]
    for image, found in zip(images, together, strict=True):
        (alone,) = predictor(image)
        assert found.labels.shape == image.shape[:2]
        assert (found.labels == alone.labels).mean() > 0.9999
    predictor.batch = 1
    runtime.calls.clear()
    predictor(images)
    assert runtime.calls == [1] * 5


def test_tiles_of_images_of_one_size_share_batches(seg_cfg, build, scenes):
    runtime = Counting(TorchRuntime(TensorModel(build(seg_cfg))))
    testing = {"mode": "slide", "crop_size": (96, 96), "stride": (64, 64)}
    predictor = Predictor(runtime, dataclasses.replace(describe(seg_cfg), test_cfg=testing))
    together = predictor([scenes[1], scenes[3]])
    assert set(runtime.calls) == {2}
    for image, found in zip((scenes[1], scenes[3]), together, strict=True):
        assert (found.labels == predictor(image)[0].labels).mean() > 0.9999


class _Means(Runtime):
    name, precisions = "means", ("fp32",)

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        return (images.mean((2, 3)),)


def test_classes_of_several_images_share_batches(scenes):
    runtime = Counting(_Means())
    predictor = Predictor(runtime, describe(load_config(find_config("hrnet-w18_4xb32_in1k")), size=(64, 64)))
    together = predictor(scenes)
    assert runtime.calls == [4]
    for image, found in zip(scenes, together, strict=True):
        assert np.allclose(found.scores, predictor(image)[0].scores, atol=1e-6)
    assert len({found.scores.tobytes() for found in together}) == 4


def test_a_network_of_greys_and_one_of_four_channels(pose_cfg, scenes):
    class Grey(Runtime):
        name, precisions = "grey", ("fp32",)

        def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
            assert images.shape[1] == 1
            return (images.expand(-1, 17, -1, -1),)

    description = dataclasses.replace(describe(pose_cfg, size=(96, 128)), mean=(100.0,), std=(50.0,))
    assert Predictor(Grey(), description)(scenes[0], flip_test=False)[0].keypoints.shape == (1, 17, 2)
    four = dataclasses.replace(description, mean=(1.0,) * 4, std=(1.0,) * 4)
    with pytest.raises(ConfigError, match="found images of 4 channels, expected 3, or 1 of greys"):
        Predictor(Grey(), four)


def test_images_of_every_kind(tmp_path):
    """Greys, 16 bits, transparency and a turned photograph become 8 bits BGR as they are looked at."""
    ramp = np.tile(np.linspace(0, 255, 40, dtype=np.uint8), (30, 1))
    Image.fromarray(ramp).save(tmp_path / "grey.png")
    cv2.imwrite(str(tmp_path / "deep.png"), (ramp.astype(np.uint16) * 257))
    cv2.imwrite(str(tmp_path / "clear.png"), np.dstack([ramp, ramp, ramp, 255 - ramp]))
    for name in ("grey", "deep", "clear"):
        found = read_image(tmp_path / f"{name}.png")
        assert (found.shape, found.dtype) == ((30, 40, 3), np.uint8)
        assert np.abs(found.astype(int) - ramp[..., None]).max() <= 1
    turned = Image.fromarray(ramp)
    entry = Image.Exif()
    entry[0x0112] = 6  # to be shown turned by a quarter, clockwise
    turned.save(tmp_path / "turned.jpg", exif=entry, quality=100)
    found = read_image(tmp_path / "turned.jpg")
    assert found.shape == (40, 30, 3)
    assert found[0].mean() < 5
    assert found[-1].mean() > 250
    name = tmp_path / "größe 人.png"
    name.write_bytes((tmp_path / "grey.png").read_bytes())
    assert read_image(name).shape == (30, 40, 3)


def test_an_image_of_more_pixels_than_opencv_allows_is_one_line(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "vast.png")

    def refusing(*_: object) -> None:
        raise cv2.error("OpenCV(4.11.0) error: (-215:Assertion failed)\n pixels <= CV_IO_MAX_IMAGE_PIXELS")

    monkeypatch.setattr(cv2, "imdecode", refusing)
    with pytest.raises(DataError, match=r"image .*vast\.png: found .*CV_IO_MAX_IMAGE_PIXELS, expected an image"):
        read_image(tmp_path / "vast.png")


def test_images_go_where_the_network_lies(pose_cfg, scenes):
    """`meta` stands for an accelerator: tensors that are not on the CPU."""
    seen = []

    class Elsewhere(Runtime):
        name, precisions = "elsewhere", ("fp32",)

        def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
            seen.append((images.device.type, len(images)))
            return (torch.zeros(len(images), 17, 32, 24),)

    predictor = Predictor(Elsewhere(), describe(pose_cfg, size=(96, 128)), batch=24, device="meta")
    predictor(scenes[0], [[1, 1, 50, 50]] * 40, flip_test=False)
    assert seen == [("meta", 24), ("meta", 16)]
