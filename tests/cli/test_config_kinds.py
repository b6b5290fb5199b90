"""Keys of a config that hold something of another kind: one line that names the key."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from hrnet_plugin.cli.config_kinds import check_kinds
from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.errors import ConfigError

DATA_SET = {"type": "CocoDataset", "data_root": "data", "ann_file": "a.json", "pipeline": []}
CONFIG = {
    "model": {"type": "TopdownPoseEstimator", "backbone": {"type": "HRNet"}},
    "train_cfg": {"max_epochs": 1},
    "optim_wrapper": {"optimizer": {"type": "Adam"}},
    "env_cfg": {"dist_cfg": {"backend": "gloo"}},
    "default_hooks": {"checkpoint": {"type": "CheckpointHook"}, "logger": None},
    "train_dataloader": {"batch_size": 1, "dataset": {"type": "RepeatDataset", "times": 2, "dataset": DATA_SET}},
}


def _with(key: str, value: object) -> Config:
    cfg = Config(CONFIG)
    cfg.merge_from_dict({key: value})
    return cfg


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("model", 1, "a dict"),
        ("model", "x", "a dict"),
        ("model.backbone", 3, "a dict"),
        ("model.backbone", None, "a dict"),
        ("train_cfg", 5, "a dict or None"),
        ("optim_wrapper", 3, "a dict or None"),
        ("optim_wrapper.accumulative_counts", "x", "a whole number above 0"),
        ("optim_wrapper.accumulative_counts", None, "a whole number above 0"),
        ("optim_wrapper.accumulative_counts", 0, "a whole number above 0"),
        ("model_wrapper_cfg", 3, "a dict or None"),
        ("auto_scale_lr", 4, "a dict or None"),
        ("env_cfg", 3, "a dict or None"),
        ("env_cfg.dist_cfg", 3, "a dict or None"),
        ("default_hooks", 3, "a dict or None"),
        ("default_hooks.checkpoint", 3, "a dict or None"),
        ("default_hooks.own", "x", "a dict or None"),
        ("load_from", 3, "a text or None"),
        ("load_from", True, "a text or None"),
        ("train_dataloader", 3, "a dict or a list or None"),
        ("train_dataloader.dataset", None, "a dict"),
    ],
)
def test_the_key_and_its_kind_are_said(key, value, expected):
    with pytest.raises(ConfigError) as refused:
        check_kinds(_with(key, value))
    assert str(refused.value) == f"config: {key}: found {value!r}, expected {expected}"


@pytest.mark.parametrize(("key", "value"), [("data_root", 3), ("ann_file", 3), ("bbox_file", True), ("pipeline", 3)])
def test_data_sets_within_others(key, value):
    cfg = _with(f"train_dataloader.dataset.dataset.{key}", value)
    with pytest.raises(ConfigError, match=f"config: {key} of a data set of train_dataloader: found {value}"):
        check_kinds(cfg)


def test_sound_configs_pass():
    check_kinds(Config(CONFIG))
    check_kinds(_with("env_cfg", None))
    for name in ("quickstart_pose", "quickstart_seg", "litehrnet_wider_naive_coco"):
        check_kinds(load_config(find_config(name)))


def test_the_command_says_it(refused, pose_config, data):
    line = refused("train", pose_config, "--data-root", data, "--cfg-options", "train_cfg=5")
    assert line == "hrnet: error: config: train_cfg: found 5, expected a dict or None"
