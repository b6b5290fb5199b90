"""`hrnet test CONFIG EXPORT`: an exported file through the config's data and metric, and one that does not fit."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.export_fit import leave_pixels_alone
from hrnet_plugin.zoo.forward import model_config


@pytest.fixture
def exported(saved, hrnet, pose_config: Path, data: Path):
    """`exported(form, *flags)`: the file of the small pose network, for one image a call unless told otherwise."""
    checkpoint = saved(pose_config, data / "pose.pth")

    def export(name: str, *flags: str) -> Path:
        outcome = hrnet("export", pose_config, checkpoint, "--out", name, *flags)
        assert outcome.status == 0, outcome.err
        return Path(name)

    return export


def points(hrnet, config: Path, checkpoint: Path, data: Path, *flags: str) -> np.ndarray:
    outcome = hrnet("test", config, checkpoint, "--data-root", data, "--dump", "found.pkl", *flags)
    assert outcome.status == 0, outcome.err
    return np.stack([one["pred_instances"]["keypoints"][0] for one in pickle.loads(Path("found.pkl").read_bytes())])


@pytest.mark.parametrize(
    ("name", "flags", "network"),
    [
        ("pose.pt2", ("--to", "torch-export"), "torch fp32"),
        ("pose.onnx", ("--to", "onnx", "--batch", "dynamic", "--normalise-inside"), "onnxruntime fp32"),
    ],
)
def test_keypoints_are_those_of_the_checkpoint(name, flags, network, hrnet, exported, pose_config, data):
    """The loader gives two images at once, the first file takes one."""
    file = exported(name, *flags)
    found = points(hrnet, pose_config, file, data)
    expected = points(hrnet, pose_config, data / "pose.pth", data, "--runtime", "framework")
    assert found.shape == (2, 17, 2)
    assert np.abs(found - expected).max() < 1e-3
    outcome = hrnet("test", pose_config, file, "--data-root", data, "--threads", "1", "--out", "metrics.json")
    line = next(line for line in outcome.out.splitlines() if line.split()[:1] == ["network"])
    assert network in " ".join(line.split())
    assert "coco/AP" in json.loads(Path("metrics.json").read_text())


def test_another_runtime_opens_the_same_file(hrnet, exported, pose_config, data):
    file = exported("pose.onnx", "--to", "onnx")
    found = points(hrnet, pose_config, file, data, "--runtime", "openvino")
    assert np.abs(found - points(hrnet, pose_config, file, data)).max() < 1e-3


def test_images_of_another_size_than_the_file_takes(saved, hrnet, seg_config, data, refused):
    checkpoint = saved(seg_config, data / "seg.pth")
    outcome = hrnet("export", seg_config, checkpoint, "--to", "torch-export", "--out", "seg.pt2", "--size", "64x64")
    assert outcome.status == 0, outcome.err
    line = refused("test", seg_config, "seg.pt2", "--data-root", data)
    assert "found 96x96, expected 64x64, the fixed size of this export" in line


_SMALLER = """
codec['input_size'], codec['heatmap_size'] = (64, 32), (16, 8)
model['head']['decoder'] = codec
"""
_FIVE = "metainfo = dict(from_file='five.py')\nfor loader in (val_dataloader, train_dataloader):\n"
_FIVE += "    loader['dataset']['metainfo'] = metainfo\n"
_OTHER_MEAN = "model['data_preprocessor']['mean'] = [0, 0, 0]\n"
_DATASET = """dataset_info = dict(dataset_name='five', paper_info=dict(), skeleton_info={}, joint_weights=[1.0] * 5,
    sigmas=[0.05] * 5, keypoint_info={i: dict(name=f'p{i}', id=i, color=[0, 0, 0], type='', swap='') for i in range(5)})
"""


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (_SMALLER, "found images of 64x64, expected 64x32, as config"),
        (_FIVE, "found number of keypoints 17, expected 5, as config"),
        (_OTHER_MEAN, "found mean (120.0, 120.0, 120.0), expected (0.0, 0.0, 0.0), as config"),
    ],
)
def test_a_file_of_another_config_is_refused(change, line, exported, pose_config, data, refused):
    file = exported("pose.pt2", "--to", "torch-export")
    Path("five.py").write_text(_DATASET)
    pose_config.write_text(pose_config.read_text() + change)
    told = refused("test", pose_config, file, "--data-root", data)
    assert f"exported file {file}: {line}" in told
    assert "Test it with the config that it was exported from" in told


@pytest.mark.parametrize("change", ["backbone", "framework"])
def test_a_file_of_another_network_is_refused(change, exported, pose_config, data, refused, hrnet):
    """Same data set, size and codec: the likeliest file to take for another."""
    file = exported("pose.pt2", "--to", "torch-export")
    if change == "backbone":
        pose_config.write_text(pose_config.read_text().replace("num_channels=[8 * 2**i", "num_channels=[16 * 2**i"))
        pose_config.write_text(pose_config.read_text().replace("in_channels=8", "in_channels=16"))
        told = refused("test", pose_config, file, "--data-root", data)
        assert f"exported file {file}: found another network: " in told
        assert "Test it with the config that it was exported from" in told
    else:  # a backbone that says nothing of itself
        text = pose_config.read_text().replace("hrnet_plugin.HRNet", "HRNet").replace("multiscale_output=False,", "")
        pose_config.write_text(text)
        assert hrnet("test", pose_config, file, "--data-root", data).status == 0


def test_a_classifier_s_pixels_are_left_alone():
    """mmpretrain has the preprocessor beside the model."""
    cfg = load_config(find_config("hrnet-w30_4xb32_in1k"))
    assert "data_preprocessor" not in cfg.model
    leave_pixels_alone(cfg)
    preprocessor = model_config(cfg).data_preprocessor
    assert preprocessor.mean is preprocessor.std is None
    assert preprocessor.to_rgb is False


def test_a_file_of_another_task_is_refused(exported, seg_config, data, refused):
    told = refused("test", seg_config, exported("pose.pt2", "--to", "torch-export"), "--data-root", data)
    assert "found task pose, expected segmentation" in told


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--runtime", "framework"), "--runtime framework: found exported file pose.pt2, expected trained weights"),
        (("--runtime", "openvino"), "runtime openvino for pose.pt2: found a file of torch-export, expected torch"),
        (("--runtime", "openvno"), "--runtime openvno: found none of this name. Did you mean 'openvino'?"),
        (("--precision", "int8"), "precision of runtime torch: found int8"),
        (("--threads", "0"), "--threads: found 0, expected 1 or more"),
    ],
)
def test_flags_that_do_not_go_with_the_file(flags, line, exported, pose_config, data, refused):
    file = exported("pose.pt2", "--to", "torch-export")
    assert line in refused("test", pose_config, file, "--data-root", data, *flags)


def test_no_such_file(pose_config, data, refused):
    assert "exported file gone.onnx: found no such file" in refused("test", pose_config, "gone.onnx")


def test_a_file_that_says_nothing_of_itself(pose_config, data, refused):
    Path("strange.onnx").write_bytes(b"strange")
    assert "strange.onnx" in refused("test", pose_config, "strange.onnx")
