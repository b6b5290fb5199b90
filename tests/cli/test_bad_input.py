"""Wrong input, as a user gives it: one clear line, exit status 2, no stack trace."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch


@pytest.fixture
def changed(pose_config: Path):
    """Replace text of the pose config."""

    def change(old: str, new: str) -> Path:
        text = pose_config.read_text()
        assert old in text
        pose_config.write_text(text.replace(old, new))
        return pose_config

    return change


def _annotations(data: Path, split: str) -> Path:
    return data / "annotations" / f"person_keypoints_{split}2017.json"


# Data


@pytest.mark.parametrize("verb", ["train", "test"])
def test_no_data(refused, pose_config: Path, verb: str):
    torch.save({"state_dict": {"a": torch.zeros(1)}}, "a.pth")
    line = refused("train", pose_config) if verb == "train" else refused("test", pose_config, "a.pth")
    assert "no folder data/coco" in line
    assert "https://cocodataset.org/#download" in line
    assert "`make demo`" in line
    assert "--data-root" in line
    assert not Path("work_dirs").exists()


def test_data_root_without_folder(refused, pose_config: Path):
    assert "--data-root absent: found no such folder" in refused("train", pose_config, "--data-root", "absent")


def test_annotation_file_missing(refused, data: Path, pose_config: Path):
    _annotations(data, "val").unlink()
    line = refused("train", pose_config, "--data-root", data)
    assert f"no file {_annotations(data, 'val')}" in line


@pytest.mark.parametrize("split", ["train", "val"])
def test_annotation_file_with_broken_json(refused, data: Path, pose_config: Path, split: str):
    file = _annotations(data, split)
    file.write_text(file.read_text()[:-40])
    line = refused("train", pose_config, "--data-root", data)
    assert f"annotation file {file}: found broken JSON" in line


def test_annotation_file_of_another_format(refused, data: Path, pose_config: Path):
    _annotations(data, "train").write_text(json.dumps({"shapes": []}))
    line = refused("train", pose_config, "--data-root", data)
    assert f"annotation file {_annotations(data, 'train')}: found keys shapes, expected COCO's keys" in line


def test_image_missing(refused, data: Path, pose_config: Path):
    (data / "train2017" / "train_2.jpg").unlink()
    line = refused("train", pose_config, "--data-root", data)
    assert f"image {data}/train2017/train_2.jpg: found No such file" in line


@pytest.mark.parametrize("workers", [0, 1])
def test_image_truncated_while_training(refused, data: Path, changed, monkeypatch: pytest.MonkeyPatch, workers: int):
    # Without the look at samples beforehand: the image is met by the pipeline.
    monkeypatch.setattr("hrnet_plugin.engine.data_check.DataCheckHook.before_run", lambda self, runner: None)
    image = data / "train2017" / "train_1.jpg"
    image.write_bytes(image.read_bytes()[:700])
    config = changed("num_workers=0", f"num_workers={workers}")
    line = refused("train", config, "--data-root", data)
    assert f"image {image}: found a truncated file (700 bytes" in line


def test_mask_truncated(refused, data: Path, seg_config: Path):
    mask = data / "masks" / "train2017" / "train_3.png"
    mask.write_bytes(mask.read_bytes()[:-20])
    assert f"image {mask}: found a truncated file" in refused("train", seg_config, "--data-root", data)


def test_data_set_without_samples(refused, data: Path, pose_config: Path):
    file = _annotations(data, "train")
    file.write_text(json.dumps({**json.loads(file.read_text()), "annotations": []}))
    line = refused("train", pose_config, "--data-root", data)
    assert f"data set CocoDataset in {file}: found no samples" in line


# Config


def test_config_not_found(refused, workplace: Path):
    line = refused("train", "hrnet_w32_cocco")
    assert "config 'hrnet_w32_cocco': found no such file" in line
    assert "Did you mean 'hrnet_w32_coco'" in line


def test_config_with_a_syntax_error(refused, workplace: Path):
    Path("a.py").write_text("model = dict(\n    a=1,\n    b==2)\n")
    assert "config a.py: found a syntax error in line 3" in refused("train", "a.py")
    Path("b.py").write_text("_base_ = ['a.py']\n")
    assert "a base of config b.py: found a syntax error in line 3" in refused("train", "b.py")


def test_config_that_cannot_be_run(refused, workplace: Path):
    Path("a.py").write_text("model = undefined_name\n")
    assert "config a.py: found NameError (name 'undefined_name' is not defined)" in refused("train", "a.py")
    Path("b.py").write_text("_base_ = ['absent.py']\n")
    assert "absent.py" in refused("train", "b.py")
    Path("c.py").write_text("a = 1\n")
    assert "found no `model`" in refused("train", "c.py")
    Path("d.py").write_text("model = dict()\n")
    assert "config: found no `train_dataloader`" in refused("train", "d.py")
    assert "config: found no `test_dataloader`" in refused("test", "d.py", "a.pth")


def test_config_with_an_unknown_type(refused, data: Path, changed):
    line = refused("train", changed("'HeatmapHead'", "'HeatmapHed'"), "--data-root", data)
    assert "type 'HeatmapHed': found no model of this name in mmpose" in line
    assert "Did you mean 'HeatmapHead'" in line


def test_config_with_a_head_of_another_framework(refused, data: Path, changed):
    line = refused("train", changed("'HeatmapHead'", "'DepthwiseSeparableFCNHead'"), "--data-root", data)
    assert "type 'DepthwiseSeparableFCNHead': found no model of this name in mmpose. Did you mean '" in line
    assert "Head'" in line.partition("Did you mean")[2]


def test_config_with_an_unknown_argument(refused, data: Path, changed):
    line = refused("train", changed("in_channels=8,", "in_channels=8, no_such_thing=1,"), "--data-root", data)
    assert "config: HeatmapHead: found an argument it does not take: 'no_such_thing'" in line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("num_channels=[8])", "num_channels=[8], num_blobs=1)", ["extra.stage1.num_blobs", "unknown key"]),
        ("num_channels=[8])", "num_channels=[8, 9])", ["extra.stage1.num_channels", "2 values", "expected 1"]),
        ("extra=extra", "arch='w23'", ["w23", "Did you mean 'w32'"]),
    ],
    ids=["unknown key", "wrong length", "unknown arch"],
)
def test_wrong_architecture(refused, data: Path, changed, old: str, new: str, words: list[str]):
    line = refused("train", changed(old, new), "--data-root", data)
    for word in words:
        assert word.lower() in line.lower()


def test_head_that_does_not_fit_a_pose_backbone(refused, data: Path, changed):
    line = refused("train", changed("in_channels=8,", "in_channels=48,"), "--data-root", data)
    assert "model.head.in_channels: found 48, expected 8" in line


def test_head_that_does_not_fit_a_segmentation_backbone(refused, data: Path, seg_config: Path):
    seg_config.write_text(seg_config.read_text().replace("channels = [8, 16,", "channels = [18, 16,"))
    line = refused("train", seg_config, "--data-root", data)
    assert "model.decode_head.in_channels: found [18, 16, 32, 64], expected [8, 16, 32, 64]" in line


def test_pretrained_weights_required_and_absent(refused, data: Path, pose_config: Path, workplace: Path):
    line = refused("train", pose_config, "--data-root", data, "--require-pretrained")
    assert "pretrained weights are not at hand" in line
    assert f"found nothing at {workplace}/weights/hrnet_w18.pth" in line
    assert "hrnet zoo fetch https://example.org/models/hrnet_w18.pth" in line


# Checkpoints


def test_checkpoint_missing(refused, data: Path, pose_config: Path):
    assert "checkpoint a.pth: found no such file" in refused("test", pose_config, "a.pth", "--data-root", data)


def test_checkpoint_truncated(refused, data: Path, pose_config: Path):
    torch.save({"state_dict": {"a": torch.zeros(2000)}}, "a.pth")
    Path("a.pth").write_bytes(Path("a.pth").read_bytes()[:4000])
    assert "checkpoint a.pth: found a truncated file" in refused("test", pose_config, "a.pth", "--data-root", data)


def test_file_that_is_no_checkpoint(refused, data: Path, pose_config: Path):
    Path("a.pth").write_text("a letter\n" * 50)
    line = refused("test", pose_config, "a.pth", "--data-root", data)
    assert "checkpoint a.pth: found" in line
    assert "no checkpoint" in line
    torch.save({"epoch": 3}, "b.pth")
    assert "found a dict with epoch" in refused("test", pose_config, "b.pth", "--data-root", data)


def test_checkpoint_of_another_network(refused, data: Path, pose_config: Path):
    weights = {f"backbone.conv{index}.weight": torch.zeros(7, 7, 3, 3) for index in (1, 2)}
    torch.save({"state_dict": weights, "meta": {}}, "a.pth")
    line = refused("test", pose_config, "a.pth", "--data-root", data)
    assert "checkpoint a.pth: found 0 of " in line
    assert "(0.0 %)" in line
    assert "First mismatch: backbone.conv1.weight has shape (7, 7, 3, 3), the network needs (64, 3, 3, 3)" in line
    from_there = refused("train", pose_config, "--data-root", data, "--no-validate", "--cfg-options", "load_from=a.pth")
    assert "0 of " in from_there


def test_an_option_that_mmengine_cannot_read(refused, data: Path, pose_config: Path):
    line = refused(
        "train", pose_config, "--data-root", data, "--cfg-options", "custom_hooks=[dict(type='EMAHook',momentum=0.5)]"
    )
    assert "found a value of another kind, expected numbers, words, and lists of them" in line


def test_checkpoint_with_forbidden_content(refused, data: Path, pose_config: Path, workplace: Path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(workplace / "ran"),)

    torch.save({"state_dict": {"a": torch.zeros(1)}, "meta": Payload()}, "a.pth")
    line = refused("test", pose_config, "a.pth", "--data-root", data)
    assert "posix.mkdir" in line
    assert not (workplace / "ran").exists()
    Path("b.pth").write_bytes(pickle.dumps(Payload()))
    refused("test", pose_config, "b.pth", "--data-root", data)
    assert not (workplace / "ran").exists()


def test_nothing_to_resume(refused, data: Path, pose_config: Path):
    line = refused("train", pose_config, "--data-root", data, "--resume", "--work-dir", "fresh")
    assert "nothing to resume in fresh" in line
    line = refused("train", pose_config, "--data-root", data, "--resume", "absent.pth")
    assert "--resume absent.pth: found no such file" in line


def test_weights_alone_cannot_be_resumed(hrnet, refused, data: Path, pose_config: Path):
    assert hrnet("train", pose_config, "--data-root", data, "--no-validate", "--work-dir", "run").status == 0
    torch.save({"state_dict": torch.load("run/epoch_1.pth", weights_only=False)["state_dict"]}, "weights_only.pth")
    line = refused("train", pose_config, "--data-root", data, "--no-validate", "--resume", "weights_only.pth")
    assert "--resume weights_only.pth: found weights alone" in line


# Surroundings


def test_work_dir_that_cannot_be_written(refused, data: Path, pose_config: Path):
    Path("file").touch()
    line = refused("train", pose_config, "--data-root", data, "--work-dir", "file/run")
    assert "work dir file/run: found Not a directory" in line


def test_port_in_use(data: Path, pose_config: Path, project_root: Path):
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        port = str(other.getsockname()[1])
        environment = {
            **os.environ, "RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port, "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        command = [sys.executable, project_root / "tools/train.py", pose_config, "--data-root", data]
        done = subprocess.run(
            [*command, "--launcher", "pytorch"], env=environment, capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"hrnet: error: port {port}: found it is in use by another process" in done.stderr


def test_more_ranks_than_gpus(refused, data: Path, pose_config: Path, monkeypatch: pytest.MonkeyPatch):
    variables = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29577"}
    for name, value in {**variables, "LOCAL_WORLD_SIZE": "4", "TORCHELASTIC_USE_AGENT_STORE": "True"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    line = refused("train", pose_config, "--data-root", data, "--launcher", "pytorch")
    assert "4 processes on this machine: found 2 visible GPUs" in line


def test_launcher_without_launch(refused, data: Path, pose_config: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RANK", raising=False)
    line = refused("train", pose_config, "--data-root", data, "--launcher", "pytorch")
    assert "--launcher pytorch: found no RANK in the environment" in line
