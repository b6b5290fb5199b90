"""Samples are what the framework's own data set gives to its own preprocessing."""

from __future__ import annotations

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS

from hrnet_plugin.analysis.views import read_picture
from hrnet_plugin.checks.browse import browse_samples
from hrnet_plugin.errors import ConfigError, DataError
from hrnet_plugin.zoo.miniature.batch import seeded
from hrnet_plugin.zoo.quiet import in_scope

FLIP = {"type": "RandomFlip", "direction": "horizontal", "prob": 1.0}
TURN = {"type": "RandomBBoxTransform", "shift_prob": 1.0, "rotate_prob": 1.0, "scale_factor": (0.7, 1.3)}


def upstream(cfg, split: str, chosen: list[int], seed: int) -> list[dict]:
    """The samples behind the model's preprocessing, by the framework alone."""
    with in_scope(cfg), seeded(seed):
        dataset = DATASETS.build(copy.deepcopy(cfg[f"{split}_dataloader"].dataset))
        preprocessor = MODELS.build(copy.deepcopy(cfg.model.data_preprocessor))
        return [preprocessor(pseudo_collate([dataset[index]]), True) for index in chosen]


def chosen(total: int, count: int, seed: int) -> list[int]:
    return sorted(np.random.default_rng(seed).permutation(total)[:count].tolist())


def test_poses_are_those_of_the_framework(pose_config):
    cfg = pose_config(FLIP, TURN)
    before = copy.deepcopy(cfg.to_dict())
    samples, metainfo = browse_samples(cfg, "train", 5, seed=3)
    assert cfg.to_dict() == before
    assert metainfo["num_keypoints"] == 17
    with in_scope(cfg):
        total = len(DATASETS.build(copy.deepcopy(cfg.train_dataloader.dataset)))
    for sample, data in zip(samples, upstream(cfg, "train", chosen(total, 5, 3), 3), strict=True):
        (inputs,) = data["inputs"]
        mean, std = cfg.model.data_preprocessor["mean"], cfg.model.data_preprocessor["std"]
        pixels = inputs.numpy().transpose(1, 2, 0) * std + mean
        assert np.abs(sample.pixels - pixels).max() < 0.51
        assert (sample.least, sample.most) == (float(inputs.min()), float(inputs.max()))
        assert (sample.channels, sample.size) == ("RGB", "48x64")
        packed = data["data_samples"][0]
        assert np.array_equal(sample.pose.heatmaps, packed.gt_fields.heatmaps.numpy())
        assert np.array_equal(sample.pose.weights, packed.gt_instance_labels.keypoint_weights.numpy())
        assert Path(sample.path) == Path(packed.img_path)


def test_keypoints_lie_where_their_heatmaps_are_highest(pose_config):
    samples, _ = browse_samples(pose_config(FLIP, TURN), "train", 8)
    checked = 0
    for sample in samples:
        maps = sample.pose.heatmaps
        inside = ((sample.pose.keypoints >= 0) & (sample.pose.keypoints < (46, 62))).all(2)
        for index in np.flatnonzero((sample.pose.counts & inside)[0]):
            row, column = np.unravel_index(maps[index].argmax(), maps[index].shape)
            assert np.abs(sample.pose.keypoints[0, index] / 4 - (column, row)).max() <= 0.51
            checked += 1
    assert checked > 60


@pytest.mark.parametrize("augmentation", [(), (FLIP,), (TURN,), (FLIP, TURN)], ids=["plain", "flip", "turn", "both"])
def test_the_outline_is_what_is_cut_out(pose_config, augmentation):
    samples, _ = browse_samples(pose_config(*augmentation), "train", 4)
    for sample in samples:
        width, height = (int(side) for side in sample.size.split("x"))
        corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        there = cv2.getPerspectiveTransform(sample.outline.astype(np.float32), corners)
        again = cv2.warpPerspective(read_picture(sample.path), there, (width, height), flags=cv2.INTER_LINEAR)
        assert np.abs(again.astype(int) - sample.pixels).mean() < 4


def test_masks_are_those_of_the_framework_padding_included(seg_config):
    samples, metainfo = browse_samples(seg_config, "train", 3, seed=1)
    assert list(metainfo["classes"])[1] == "head"
    for sample, data in zip(samples, upstream(seg_config, "train", chosen(8, 3, 1), 1), strict=True):
        assert np.array_equal(sample.labels, data["data_samples"][0].gt_sem_seg.data[0].numpy())
        assert sample.labels.shape == sample.pixels.shape[:2] == (64, 80)
        assert (sample.labels[:, 64:] == 255).all()
        pixels = (data["inputs"][0].numpy().transpose(1, 2, 0) * 60 + 120)[..., ::-1]
        assert np.abs(sample.pixels - pixels).max() < 0.51
        assert sample.channels == "BGR", "this config swaps nothing"


def test_the_seed_decides(pose_config):
    cfg = pose_config(TURN)
    one, again, other = (browse_samples(cfg, "train", 3, seed=seed)[0] for seed in (0, 0, 1))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))


def test_no_more_than_there_are(seg_config):
    samples, _ = browse_samples(seg_config, "train", 100)
    assert len({sample.path for sample in samples}) == len(samples) == 8


def test_wrong_input(pose_config, seg_config, tmp_path):
    cfg = pose_config()
    with pytest.raises(ConfigError, match="no `val_dataloader`"):
        browse_samples(cfg, "val", 1)
    with pytest.raises(ConfigError, match="--count: found 0"):
        browse_samples(cfg, "train", 0)
    cfg.train_dataloader.dataset.pipeline.pop()
    with pytest.raises(ConfigError, match="found no packing of inputs, expected one such as PackPoseInputs"):
        browse_samples(cfg, "train", 1)
    for folder in ("train", "masks/train"):
        (tmp_path / folder).mkdir(parents=True)
    seg_config.train_dataloader.dataset.update(data_root=str(tmp_path), serialize_data=False)
    with pytest.raises(DataError, match="found no samples"):
        browse_samples(seg_config, "train", 1)
