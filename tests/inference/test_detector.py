"""Persons found by a detector of mmdet; one without compiled operators runs on mmcv-lite, too."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.data import render_scene
from hrnet_plugin.errors import CheckpointError, ConfigError
from hrnet_plugin.inference.detector import Detector
from hrnet_plugin.inference.sources import Source
from hrnet_plugin.zoo.forward import build_model, model_config

#: CenterNet takes the maxima of a map and suppresses nothing.
CENTERNET = """
_base_ = ['mmdet::_base_/default_runtime.py']
model = dict(
    type='CenterNet', data_preprocessor=dict(type='DetDataPreprocessor', mean=[120] * 3, std=[60] * 3),
    backbone=dict(type='ResNet', depth=18, base_channels=8, norm_cfg=dict(type='BN')),
    neck=dict(type='CTResNetNeck', in_channels=64, num_deconv_filters=(16, 16, 16), num_deconv_kernels=(4, 4, 4),
              use_dcn=False),
    bbox_head=dict(type='CenterNetHead', num_classes=80, in_channels=16, feat_channels=8),
    test_cfg=dict(topk=100, local_maximum_kernel=3, max_per_img=100))
pipeline = [
    dict(type='LoadImageFromFile', to_float32=True), dict(type='Resize', scale=(160, 128), keep_ratio=True),
    dict(type='RandomCenterCropPad', ratios=None, border=None, mean=[0, 0, 0], std=[1, 1, 1], to_rgb=True,
         test_mode=True, test_pad_mode=['logical_or', 31], test_pad_add_pix=1),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'border'))]
test_dataloader = dict(batch_size=1, dataset=dict(type='CocoDataset', ann_file='none.json', pipeline=pipeline))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A detector's config and random weights under which it finds something everywhere."""
    folder = tmp_path_factory.mktemp("detector")
    (folder / "centernet.py").write_text(CENTERNET)
    cfg = Config.fromfile(folder / "centernet.py")
    torch.manual_seed(0)
    model = build_model(model_config(cfg), "mmdet")
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter)
    with torch.no_grad():
        model.bbox_head.heatmap_head[-1].weight.mul_(0.1)
        model.bbox_head.wh_head[-1].bias.fill_(12.0)
    torch.save({"state_dict": model.state_dict()}, folder / "centernet.pth")
    return folder / "centernet.py", folder / "centernet.pth"


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return np.ascontiguousarray(render_scene(0, "test", 0).image[..., ::-1])


@pytest.fixture(scope="module")
def theirs(files, scene):
    """What mmdet itself finds."""
    from mmdet.apis import inference_detector

    detector = Detector(load_config(files[0]), files[1])
    with DefaultScope.overwrite_default_scope("mmdet"):
        return inference_detector(detector.model, scene).pred_instances


def test_boxes_are_those_of_mmdet(files, scene, theirs):
    label = int(theirs.labels.mode().values)
    detector = Detector(load_config(files[0]), files[1], person=str(label), least=0.1)
    source = Source(Path("x.jpg"), "x.jpg")
    assert detector.has(source)
    ours, again = detector.find(source, [None, None], [scene, scene])
    limit = np.array([scene.shape[1], scene.shape[0]] * 2)
    taken = (theirs.labels == label) & (theirs.scores >= 0.1)
    expected = theirs.bboxes[taken].numpy().clip(0, limit)
    assert 0 < len(ours.boxes) <= len(expected)
    assert all((np.abs(expected - box).max(1) < 1e-3).any() for box in ours.boxes)
    assert list(ours.scores) == sorted(ours.scores, reverse=True)
    assert min(ours.scores) >= 0.1
    assert ours.boxes.dtype == np.float32
    assert (ours.boxes[:, 2:] > ours.boxes[:, :2]).all()
    assert np.array_equal(ours.boxes, again.boxes)
    sure = Detector(load_config(files[0]), files[1], person=str(label), least=max(ours.scores))
    assert len(sure.find(source, [None], [scene])[0].boxes) < len(ours.boxes)


def test_the_class_is_found_by_name(files):
    assert Detector(load_config(files[0]), files[1]).label == 0
    assert Detector(load_config(files[0]), files[1], person="dog").label == 16
    for wrong in ("cucumber", "80"):
        with pytest.raises(
            ConfigError, match=rf"--person-class {wrong}: found none of this name in detector centernet"
        ):
            Detector(load_config(files[0]), files[1], person=wrong)
    cfg = copy.deepcopy(load_config(files[0]))
    cfg.test_dataloader = None
    with pytest.raises(ConfigError, match="Give the class by its index"):
        Detector(cfg, files[1])
    assert Detector(cfg, files[1], person="3").label == 3


def test_a_config_or_weights_of_something_else(files, tmp_path):
    with pytest.raises(
        ConfigError, match="detector quickstart_pose: found a config for mmpose, expected one for mmdet"
    ):
        Detector(load_config(find_config("quickstart_pose")), files[1])
    torch.save({"state_dict": {"a": torch.ones(1)}}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"checkpoint .*other\.pth"):
        Detector(load_config(files[0]), tmp_path / "other.pth")


def test_a_run_with_a_detector(files, infer, posing, write_video, scene, theirs, tmp_path):
    """Images and frames have the poses of the boxes that the detector finds in them."""
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/a.png"), scene)
    write_video(tmp_path / "in/clip.mp4", 3, (scene.shape[1], scene.shape[0]))
    detector = Detector(load_config(files[0]), files[1], person=str(int(theirs.labels.mode().values)), least=0.0)
    outcome = infer(posing, [tmp_path / "in"], persons=detector)
    assert (outcome.images, outcome.videos, outcome.failures) == (1, 1, [])
    (persons,) = detector.find(Source(tmp_path / "in/a.png", "a.png"), [None], [scene])
    found = json.loads((tmp_path / "out/results.json").read_text())["annotations"]
    assert len(found) == len(persons.boxes) > 0
    for annotation, box, score in zip(found, persons.boxes, persons.scores, strict=True):
        assert annotation["bbox"] == pytest.approx([*box[:2], *(box[2:] - box[:2])], abs=2e-3)
        assert annotation["box_score"] == pytest.approx(score, abs=1e-6)
    assert len(json.loads((tmp_path / "out/videos/clip.json").read_text())["images"]) == 3
