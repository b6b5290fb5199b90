"""A check finds what differs, and nothing where nothing does."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.deploy.checking import TOLERANCE, AnyBatch, compare_metrics, compare_outputs
from hrnet_plugin.deploy.describing import describe, pixel_scaling
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.runtimes.torch_eager import TorchRuntime
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.zoo.miniature import with_miniature_data


@pytest.fixture(scope="module")
def description(pose_cfg):
    return describe(pose_cfg, size=(96, 128))


@pytest.fixture(scope="module")
def images() -> list[Tensor]:
    return list(torch.randn(3, 3, 128, 96, generator=torch.Generator().manual_seed(0)).split(1))


class _Changed(nn.Module):
    """Another network's outputs, changed."""

    def __init__(self, network: nn.Module, change):
        super().__init__()
        self.network, self.change = network, change

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.change(output) for output in self.network(images))


def runtime_of(model: nn.Module, change) -> TorchRuntime:
    return TorchRuntime(_Changed(TensorModel(copy.deepcopy(model)), change))


def test_equal_outputs_are_equal(pose_model, description, images):
    found = compare_outputs(pose_model, runtime_of(pose_model, lambda output: output), iter(images), description)
    assert found.images == 3
    assert found.largest < 1e-5 < TOLERANCE


def test_differences_are_relative_to_the_largest_output(pose_model, description, images):
    found = compare_outputs(pose_model, runtime_of(pose_model, lambda output: output * 1.01), images, description)
    assert found.plain == pytest.approx(0.01, rel=1e-3)
    assert found.mirrored == pytest.approx(0.01, rel=1e-3)


def test_flip_test_averages_with_the_mirrored_counterpart(pose_model, description, images):
    """An error in the left wrist alone is halved by the mean with the right wrist of the mirrored image."""
    left = description.keypoint_names.index("left_wrist")
    right = description.keypoint_names.index("right_wrist")
    offset = 100.0

    def moved(output: Tensor) -> Tensor:
        output = output.clone()
        output[:, left] += offset
        output[:, right] -= offset
        return output

    found = compare_outputs(pose_model, runtime_of(pose_model, moved), images[:1], description)
    assert found.plain > 0
    assert found.mirrored < 1e-4 * found.plain


def test_what_is_not_finite_differs_without_limit(pose_model, description, images):
    found = compare_outputs(pose_model, runtime_of(pose_model, lambda output: output / 0), images[:1], description)
    assert found.largest == math.inf


def test_an_export_of_another_network(pose_model, description, images):
    for change in (lambda output: output[:, :16], lambda output: output[..., ::2]):
        message = r"outputs of the export: found \[.*\], expected \[\(1, 17, 32, 24\)\], as the config's model has"
        with pytest.raises(ConfigError, match=message):
            compare_outputs(pose_model, runtime_of(pose_model, change), images, description)


def test_no_images(pose_model, description):
    with pytest.raises(ConfigError, match="--check: found no images, expected at least one"):
        compare_outputs(pose_model, runtime_of(pose_model, lambda output: output), [], description)


def test_any_batch_of_a_fixed_one(pose_cfg, pose_model, images):
    scaling = pixel_scaling(pose_cfg)
    inner = TorchRuntime(TensorModel(copy.deepcopy(pose_model), scaling), shape=InputShape((96, 128), batch=2))
    batch = torch.cat(images)
    with torch.no_grad():
        expected = TensorModel(pose_model)(batch)[0]
    found = AnyBatch(inner, scaling)(batch)[0]
    assert found.shape == expected.shape
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-4


@pytest.fixture(scope="module")
def miniature(pose_cfg, seg_cfg, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("miniature")
    return {"pose": with_miniature_data(pose_cfg, folder), "seg": with_miniature_data(seg_cfg, folder)}


def test_metric_of_a_segmentation(miniature, build):
    cfg = miniature["seg"]
    model = build(cfg)
    before = copy.deepcopy(model.state_dict())
    same = compare_metrics(cfg, model, AnyBatch(runtime_of(model, lambda output: output)), 2)
    assert (same.name, same.images) == ("mIoU", 2)
    assert same.exported == pytest.approx(same.framework, abs=0.5)
    assert same.framework > 0
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    turned = compare_metrics(cfg, model, AnyBatch(runtime_of(model, lambda output: output.roll(1, 1))), 2)
    assert turned.framework == same.framework
    assert abs(turned.exported - turned.framework) > 0.5


def test_metric_of_poses_is_that_of_the_images_looked_at(miniature, pose_model):
    cfg = miniature["pose"]
    annotations = Path(cfg.test_evaluator.ann_file)
    content = annotations.read_text(encoding="utf-8")
    every = len(json.loads(content)["images"])
    assert every > 1
    found = compare_metrics(cfg, pose_model, runtime_of(pose_model, lambda output: output), 1)
    assert found.name == "coco/AP"
    assert 1 <= found.images < len(json.loads(content)["annotations"])
    assert found.exported == found.framework
    assert annotations.read_text(encoding="utf-8") == content


def test_poses_are_evaluated_where_there_are_persons(miniature, pose_model, tmp_path):
    """Images without a person come first in the file, and more of them than are looked at."""
    cfg = copy.deepcopy(miniature["pose"])
    source = Path(cfg.test_evaluator.ann_file)
    content = json.loads(source.read_text(encoding="utf-8"))
    empty = [{**content["images"][0], "id": 10**6 + index} for index in range(50)]
    file = tmp_path / source.name
    file.write_text(json.dumps({**content, "images": empty + content["images"]}), encoding="utf-8")
    cfg.test_evaluator.ann_file = cfg.test_dataloader.dataset.ann_file = str(file)
    assert compare_metrics(cfg, pose_model, runtime_of(pose_model, lambda output: output), 2).images >= 2


def test_a_metric_without_a_number(miniature, build, tmp_path):
    cfg = copy.deepcopy(miniature["seg"])
    cfg.test_evaluator = {"type": "mmengine.DumpResults", "out_file_path": str(tmp_path / "x.pkl")}
    model = build(cfg)
    with pytest.raises(ConfigError, match="metric: found no number from the config's evaluator"):
        compare_metrics(cfg, model, runtime_of(model, lambda output: output), 1)
