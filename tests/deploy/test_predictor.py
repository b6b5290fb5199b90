"""One call for every network and runtime, with the answers of the framework that trained it."""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.data import render_scene
from hrnet_plugin.deploy.describing import dataset_meta, describe, usual_size
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.predictions import PosePrediction
from hrnet_plugin.deploy.predictor import Predictor
from hrnet_plugin.deploy.runtimes.base import Runtime
from hrnet_plugin.deploy.runtimes.start import start_runtime
from hrnet_plugin.deploy.runtimes.torch_eager import TorchRuntime
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.deploy.topdown import TopDown
from hrnet_plugin.errors import ConfigError, DataError

_BOXES = np.array([[20, 10, 120, 190], [60.5, 30.2, 140.1, 100.7], [-15, -5, 60, 90], [100, 60, 300, 240]], np.float32)


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """A drawn picture, (H, W, 3) in BGR."""
    return np.ascontiguousarray(render_scene(0, "test", 0).image[..., ::-1])


class _Peaks(nn.Module):
    """Heatmaps (N, K, H / 4, W / 4) with one clear maximum each, whose place depends on the image."""

    def __init__(self, model: nn.Module, keypoints: int):
        super().__init__()
        self.inner, self.keypoints = model, keypoints

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        height, width = images.shape[2] // 4, images.shape[3] // 4
        grey = nn.functional.adaptive_avg_pool2d(images, 4).flatten(1).tanh()
        steps = torch.arange(self.keypoints)
        place = torch.stack([grey[:, steps % 16], grey[:, (5 * steps + 3) % 16]], -1) * 0.3 + 0.5
        centre = place * torch.tensor([width - 1.0, height - 1.0])
        columns, rows = torch.arange(width).view(1, 1, 1, -1), torch.arange(height).view(1, 1, -1, 1)
        away = (columns - centre[..., 0, None, None]) ** 2 + (rows - centre[..., 1, None, None]) ** 2
        return (torch.exp(-away / 8) * 0.9,)


class _Given(nn.Module):
    """In the place of a backbone, a function of the images."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.network(images)


def topdown_by_framework(cfg: Config, model: nn.Module, image: np.ndarray, boxes: np.ndarray) -> tuple:
    """Keypoints (P, K, 2) and scores (P, K) of mmpose's own inference."""
    from mmpose.apis import inference_topdown

    model.cfg = cfg
    model.dataset_meta = dict(dataset_meta(cfg))
    with DefaultScope.overwrite_default_scope("mmpose"):
        samples = inference_topdown(model, image, boxes)
    found = [sample.pred_instances for sample in samples]
    return (
        np.concatenate([one.keypoints for one in found]),
        np.concatenate([one.keypoint_scores for one in found]),
        samples,
    )


def with_codec(cfg: Config, kind: str) -> Config:
    """The quickstart with another codec and what belongs to it in the pipeline."""
    cfg = copy.deepcopy(cfg)
    codec = dict(cfg.model.head.decoder)
    codec["type"] = "UDPHeatmap" if kind == "udp" else "MSRAHeatmap"
    if kind == "dark":
        codec["unbiased"] = True
    cfg.model.head.decoder = codec
    for step in cfg.test_dataloader.dataset.pipeline:
        if step.type == "TopdownAffine":
            step.use_udp = kind == "udp"
    cfg.model.test_cfg.shift_heatmap = kind == "plain"
    return cfg


def of_peaks(cfg: Config, model: nn.Module) -> tuple[nn.Module, Predictor]:
    """A framework's model and a predictor that both compute clear maxima, through no network at all."""
    peaks = _Peaks(model, 17)
    ours = Predictor(TorchRuntime(peaks), describe(cfg, size=tuple(cfg.model.head.decoder["input_size"])))
    theirs = copy.deepcopy(model)
    theirs.backbone = _Given(peaks)
    theirs.head.forward = lambda features: features[0]
    theirs.head.decoder = codec_of(cfg)
    theirs.test_cfg = {**cfg.model.test_cfg}
    return theirs, ours


def codec_of(cfg: Config) -> object:
    from mmpose.registry import KEYPOINT_CODECS

    with DefaultScope.overwrite_default_scope("mmpose"):
        return KEYPOINT_CODECS.build(dict(cfg.model.head.decoder))


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("kind", ["udp", "plain", "dark"])
def test_keypoints_are_those_of_mmpose(kind, flips, pose_cfg, pose_model, scene):
    cfg = with_codec(pose_cfg, kind)
    cfg.model.test_cfg.flip_test = flips
    model, predictor = of_peaks(cfg, pose_model)
    keypoints, scores, _ = topdown_by_framework(cfg, model, scene, _BOXES)
    (found,) = predictor(scene, _BOXES)
    assert np.ptp(keypoints, axis=(0, 1)).min() > 50
    assert np.abs(found.keypoints - keypoints).max() < 1e-3
    assert np.abs(found.scores - scores).max() < 1e-5
    assert len(found.names) == 17
    assert found.names[0] == "nose"


@pytest.mark.parametrize("flips", [False, True])
def test_heatmaps_are_those_of_mmpose(flips, pose_cfg, pose_model, scene, monkeypatch):
    """The whole way through the network: of random weights, so that maps are compared and not their maxima."""
    module = sys.modules[TopDown.__module__]
    seen, real = [], module.decode_heatmaps
    monkeypatch.setattr(module, "decode_heatmaps", lambda maps, how: seen.append(maps) or real(maps, how))
    model = copy.deepcopy(pose_model)
    model.test_cfg.update(flip_test=flips, output_heatmaps=True)
    predictor = Predictor(TorchRuntime(TensorModel(pose_model)), describe(pose_cfg, size=(96, 128)))
    predictor(scene, _BOXES, flip_test=flips)
    samples = topdown_by_framework(pose_cfg, model, scene, _BOXES)[2]
    theirs = torch.stack([sample.pred_fields.heatmaps for sample in samples])
    assert float((seen[0] - theirs).abs().max() / theirs.abs().max()) < 1e-5


def test_images_keep_their_order_however_many_are_computed_at_once(pose_cfg, pose_model, scene, tmp_path):
    _, predictor = of_peaks(pose_cfg, pose_model)
    other = np.ascontiguousarray(render_scene(0, "test", 1).image[..., ::-1])
    cv2.imwrite(str(tmp_path / "other.png"), other)
    several = predictor([scene, tmp_path / "other.png"], [_BOXES, _BOXES[:1]])
    assert [len(each.keypoints) for each in several] == [4, 1]
    assert np.array_equal(several[0].keypoints, predictor(scene, _BOXES)[0].keypoints)
    assert np.array_equal(several[1].keypoints, predictor(str(tmp_path / "other.png"), _BOXES[:1])[0].keypoints)
    predictor.batch = 3
    assert np.array_equal(several[0].keypoints, predictor(scene, _BOXES)[0].keypoints)
    whole = predictor([scene, other])
    assert [each.boxes.tolist() for each in whole] == [[[0, 0, scene.shape[1], scene.shape[0]]]] * 2
    assert not np.allclose(whole[0].keypoints, whole[1].keypoints)


@pytest.mark.parametrize("boxes", [[], np.zeros((0, 4)), [[]]])
def test_no_person_is_no_keypoint(boxes, pose_cfg, pose_model, scene):
    (found,) = of_peaks(pose_cfg, pose_model)[1](scene, boxes)
    assert isinstance(found, PosePrediction)
    assert (found.keypoints.shape, found.scores.shape, found.boxes.shape) == ((0, 17, 2), (0, 17), (0, 4))


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([10, 10, 50, 50], r"boxes: found shape \(4,\), expected \(P, 4\)"),
        ([[10, 10, 50]], r"found shape \(1, 3\)"),
        ([[1, 2, 3, 4], [1, 2]], r"boxes: found \[\[1, 2, 3, 4\], \[1, 2\]\], expected \(P, 4\) numbers"),
        ([["left", 2, 3, 4]], "boxes: found .*left"),
        ([[10, 10, 50, 50], [50, 10, 10, 50]], r"found \[50\.0, 10\.0, 10\.0, 50\.0\], expected x1, y1, x2, y2 with"),
        ([[10, 10, 50, float("nan")]], "found .*nan"),
        ([[10, 10, 50, float("inf")]], "found .*inf"),
    ],
)
def test_boxes_that_are_none(boxes, words, pose_cfg, pose_model, scene):
    with pytest.raises(DataError, match=words):
        of_peaks(pose_cfg, pose_model)[1](scene, boxes)


def test_boxes_of_another_number_of_images(pose_cfg, pose_model, scene):
    with pytest.raises(DataError, match="boxes: found those of 4 images, expected 2, one set an image"):
        of_peaks(pose_cfg, pose_model)[1]([scene, scene], _BOXES)


@pytest.mark.parametrize("images", [None, 5, {"a.jpg": 1}])
def test_images_that_are_none(images, pose_cfg, pose_model):
    with pytest.raises(DataError, match=r"images: found .*, expected a path, an array, or a list of them"):
        of_peaks(pose_cfg, pose_model)[1](images)


@pytest.mark.parametrize("boxes", [5, {0: [1, 2, 3, 4]}])
def test_boxes_of_several_images_that_are_no_list(boxes, pose_cfg, pose_model, scene):
    with pytest.raises(DataError, match=r"boxes: found .*, expected a list, one set an image"):
        of_peaks(pose_cfg, pose_model)[1]([scene, scene], boxes)


def test_a_flip_test_without_counterparts_is_told(pose_cfg, pose_model, scene):
    cfg = copy.deepcopy(pose_cfg)
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"] = None
    predictor = Predictor(TorchRuntime(TensorModel(copy.deepcopy(pose_model))), describe(cfg, size=(96, 128)))
    with pytest.raises(
        ConfigError, match=r"flip test: found counterparts of 0 keypoints for 17 heatmaps.*--no-flip-test.*flip_test=F"
    ):
        predictor([scene], [_BOXES], flip_test=True)
    assert predictor([scene], [_BOXES], flip_test=False)[0].keypoints.shape == (4, 17, 2)


def test_a_fixed_batch_is_filled_up(pose_cfg, pose_model, scene):
    theirs = of_peaks(pose_cfg, pose_model)[1]
    shape = InputShape((96, 128), batch=3)
    ours = Predictor(
        TorchRuntime(_Peaks(pose_model, 17), shape=shape), dataclasses.replace(theirs.description, batch=3)
    )
    assert np.array_equal(ours(scene, _BOXES)[0].keypoints, theirs(scene, _BOXES)[0].keypoints)


def test_a_network_of_any_size_takes_crops_of_the_codec_s(pose_cfg, pose_model, scene):
    fixed = of_peaks(pose_cfg, pose_model)[1]
    shape = InputShape((96, 128), dynamic_batch=True, dynamic_size=True)
    free = Predictor(
        TorchRuntime(_Peaks(pose_model, 17), shape=shape), dataclasses.replace(fixed.description, input_size=None)
    )
    assert np.array_equal(free(scene, _BOXES)[0].keypoints, fixed(scene, _BOXES)[0].keypoints)


def test_another_size_than_the_codec_s(pose_cfg, pose_model, scene):
    """Keypoints are read from maps of what was computed, not from those that the config trained with."""
    cfg = with_codec(pose_cfg, "plain")
    wide = copy.deepcopy(cfg)
    wide.model.head.decoder.update(input_size=(192, 256), heatmap_size=(48, 64))
    for step in wide.test_dataloader.dataset.pipeline:
        if step.type == "TopdownAffine":
            step.input_size = (192, 256)
    model, _ = of_peaks(wide, pose_model)
    keypoints, _, _ = topdown_by_framework(wide, model, scene, _BOXES)
    ours = Predictor(TorchRuntime(_Peaks(pose_model, 17)), describe(cfg, size=(192, 256)))
    assert np.abs(ours(scene, _BOXES)[0].keypoints - keypoints).max() < 1e-3


def test_outputs_that_only_a_framework_reads(pose_cfg):
    description = dataclasses.replace(describe(pose_cfg, name="bottom_up"), task="features")
    with pytest.raises(
        ConfigError, match=r"predictor for bottom_up: found outputs that only its framework reads.*hrnet"
    ):
        Predictor(TorchRuntime(nn.Identity()), description)


class _Logits(nn.Module):
    """Logits (N, 6, H / 4, W / 4), smooth and different everywhere."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(6, 3, 8, 8, generator=generator), requires_grad=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        padded = nn.functional.pad(images, (2, 5, 2, 5))
        height, width = -(-images.shape[2] // 4), -(-images.shape[3] // 4)
        return (nn.functional.conv2d(padded, self.weight, stride=4)[:, :, :height, :width],)


def segmented_by_framework(cfg: Config, model: nn.Module, image: np.ndarray) -> np.ndarray:
    """Labels (H, W) of mmseg's own inference."""
    from mmseg.apis import inference_model

    cfg = copy.deepcopy(cfg)
    cfg.test_pipeline = cfg.test_dataloader.dataset.pipeline
    model.cfg = cfg
    with DefaultScope.overwrite_default_scope("mmseg"):
        return inference_model(model, image).pred_sem_seg.data[0].numpy()


@pytest.fixture
def segmenting(seg_cfg: Config, build: Callable[[Config], nn.Module]) -> Callable[..., tuple[nn.Module, Predictor]]:
    """mmseg's model and a predictor that compute the same logits, by a config's own choices."""

    def make(testing: dict, size: tuple[int, int] | None = None, shape: InputShape | None = None) -> tuple:
        cfg = copy.deepcopy(seg_cfg)
        cfg.model.test_cfg = testing
        theirs = build(cfg)
        theirs.backbone = _Given(_Logits())
        theirs.decode_head.forward = lambda features: features[0]
        return cfg, theirs, Predictor(TorchRuntime(_Logits(), shape=shape), describe(cfg, size=size))

    return make


def agreement(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    assert len(np.unique(theirs)) > 1
    return float((ours == theirs).mean())


def test_labels_are_those_of_mmseg(seg_cfg, build, scene):
    """Through the network itself, on an image whose sides no stride divides."""
    model, image = build(seg_cfg), scene[:101, :131]
    predictor = Predictor(TorchRuntime(TensorModel(model)), describe(seg_cfg))
    (found,) = predictor(image)
    assert agreement(found.labels, segmented_by_framework(seg_cfg, model, image)) > 0.999
    assert found.labels.dtype == np.uint8
    assert len(found.classes) == len(found.palette) == seg_cfg.model.decode_head.num_classes


@pytest.mark.parametrize("crop", [(64, 96), (128, 160)])
def test_tiles_are_those_of_mmseg(crop, segmenting, scene):
    testing = {"mode": "slide", "crop_size": crop, "stride": (40, 70)}
    cfg, model, predictor = segmenting(testing)
    image = scene[:101, :131]
    assert agreement(predictor(image)[0].labels, segmented_by_framework(cfg, model, image)) > 0.999


def test_tiles_of_a_fixed_size_network(segmenting, scene):
    shape = InputShape((96, 64), dynamic_batch=True)
    cfg, model, predictor = segmenting({"mode": "slide", "crop_size": (64, 96), "stride": (40, 70)}, (96, 64), shape)
    image = scene[:101, :131]
    assert agreement(predictor(image)[0].labels, segmented_by_framework(cfg, model, image)) > 0.999
    assert predictor(scene[:50, :80])[0].labels.shape == (50, 80)


def test_several_images_of_several_sizes(segmenting, scene):
    predictor = segmenting({"mode": "whole"}, shape=InputShape((64, 64), dynamic_batch=True, dynamic_size=True))[2]
    images = [scene, scene[:70, :90], scene[:33, :32]]
    assert [found.labels.shape for found in predictor(images)] == [image.shape[:2] for image in images]


def test_one_output_is_a_threshold(seg_cfg, scene):
    class Constant(nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, ...]:
            rows = torch.linspace(-2, 2, images.shape[2] // 4).view(1, 1, -1, 1)
            return (rows.expand(len(images), 1, -1, images.shape[3] // 4),)

    (found,) = Predictor(TorchRuntime(Constant()), describe(seg_cfg))(scene[:64, :64])
    assert found.labels[:15].max() == 0
    assert found.labels[30:].min() == 1
    certain = copy.deepcopy(seg_cfg)
    certain.model.decode_head.threshold = 0.8
    (fewer,) = Predictor(TorchRuntime(Constant()), describe(certain))(scene[:64, :64])
    steps = torch.linspace(-2, 2, 16).sigmoid()
    for labels, threshold in ((found.labels, 0.3), (fewer.labels, 0.8)):
        assert labels.mean() == pytest.approx(float((steps > threshold).float().mean()), abs=0.06)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "ncnn"])
def test_tiles_narrower_than_a_fixed_size(name, seg_cfg, scene):
    """A runtime that reads files has one size: an image smaller than a tile is filled up to it."""
    pytest.importorskip("pnnx" if name == "ncnn" else name)
    cfg = copy.deepcopy(seg_cfg)
    cfg.model.test_cfg = {"mode": "slide", "crop_size": (96, 96), "stride": (64, 64)}
    torch.manual_seed(0)
    network = TensorModel(nn.Sequential(nn.Conv2d(3, 6, 3, stride=4, padding=1)).eval())
    shape, description = InputShape((96, 96), dynamic_batch=True), describe(cfg, size=(96, 96))
    ours = Predictor(start_runtime(network, name, shape=shape, threads=1), description)(scene[:77, :65])[0].labels
    theirs = Predictor(TorchRuntime(network), description)(scene[:77, :65])[0].labels
    assert ours.shape == theirs.shape == (77, 65)
    assert (ours == theirs)[:-4, :-4].mean() > 0.99


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_pixels_are_filled_up_with_the_mean(order, seg_cfg, scene):
    """As mmseg fills up normalised images with zeros, whether the file normalises by itself or not."""
    seen = {}

    class Seeing(Runtime):
        name, precisions = "seeing", ("fp32",)

        def _compute(self, images):
            seen["images"] = images
            return (torch.zeros(len(images), 6, *images.shape[2:]),)

    mean = (120.0, 110.0, 100.0)
    description = dataclasses.replace(
        describe(seg_cfg), mean=mean, std=(1.0, 1.0, 1.0), channel_order=order, normalised_inside=True
    )
    Predictor(Seeing(shape=InputShape((64, 64), dynamic_size=True)), description)(scene[:70, :80])
    corner = seen["images"][0, :, -1, -1].tolist()
    assert corner == list(mean[::-1] if order == "rgb" else mean)
    assert torch.equal(seen["images"][0, :, 0, 0], torch.from_numpy(scene[0, 0].astype(np.float32)))


class _Scores(Runtime):
    """(N, 5) logits that depend on the whole crop."""

    name, precisions = "scores", ("fp32",)

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        weight = torch.linspace(-1, 1, images[0].numel()).sin().view_as(images[0])
        self.seen = images
        return (torch.stack([(images * weight.roll(turn, -1)).mean((1, 2, 3)) for turn in range(5)], 1),)


@pytest.mark.parametrize("backend", ["pillow", "cv2"])
@pytest.mark.parametrize("side", [(101, 131), (240, 130), (300, 310)])
def test_classes_are_those_of_mmpretrain(side, backend, scene):
    cfg = load_config(find_config("hrnet-w18_4xb32_in1k"))
    cfg.test_dataloader.dataset.pipeline[1].backend = backend
    runtime, image = _Scores(), np.tile(scene, (2, 2, 1))[: side[0], : side[1]]
    (found,) = Predictor(runtime, describe(cfg, size=usual_size(cfg)))(image)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        from mmpretrain.registry import MODELS

        preprocessor = MODELS.build({"type": "ClsDataPreprocessor", **cfg.data_preprocessor})
        steps = [step for step in cfg.test_dataloader.dataset.pipeline if step.type != "LoadImageFromFile"]
        sample = Compose(steps)({"img": image, "img_shape": image.shape[:2], "ori_shape": image.shape[:2]})
        inputs = preprocessor(pseudo_collate([sample]))["inputs"]
    assert float((runtime.seen - inputs).abs().max()) < 1e-4
    assert np.allclose(found.scores, runtime(inputs)[0].softmax(1)[0], atol=1e-6)
    assert found.scores.sum() == pytest.approx(1)
    assert found.label == int(found.scores.argmax())
    assert len(found.classes) == 1000


def test_a_classifier_of_any_size_takes_the_config_s(scene):
    cfg = load_config(find_config("hrnet-w18_4xb32_in1k"))
    for size, seen in ((None, (224, 224)), ((288, 320), (320, 288))):
        runtime = _Scores()
        Predictor(runtime, describe(cfg, size=size))(scene)
        assert runtime.seen.shape == (1, 3, *seen)


def test_the_last_stage_of_several_is_read(pose_cfg, pose_model, scene):
    class Stages(_Peaks):
        def forward(self, images: Tensor) -> tuple[Tensor, ...]:
            return (torch.zeros(len(images), 17, 32, 24), *super().forward(images))

    theirs = of_peaks(pose_cfg, pose_model)[1]
    ours = Predictor(TorchRuntime(Stages(pose_model, 17)), theirs.description)
    assert np.array_equal(ours(scene, _BOXES)[0].keypoints, theirs(scene, _BOXES)[0].keypoints)


@pytest.mark.parametrize("images", ["missing.jpg", Path("missing.jpg"), ["missing.jpg"], np.zeros((5, 5), np.uint8)])
def test_an_image_that_cannot_be_read_is_one_line(images, pose_cfg, pose_model):
    with pytest.raises(DataError, match=r"image.*: found (no such file|an array \(5, 5\) of uint8)") as caught:
        of_peaks(pose_cfg, pose_model)[1](images)
    assert "\n" not in str(caught.value)


def test_an_image_that_was_cut_off_is_one_line(pose_cfg, pose_model, scene, tmp_path):
    cv2.imwrite(str(tmp_path / "whole.jpg"), scene)
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "part.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"image .*part\.jpg: found a truncated file"):
        of_peaks(pose_cfg, pose_model)[1](tmp_path / "part.jpg")
